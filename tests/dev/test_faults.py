"""Faults on demand, as seen by a client."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from doorkey.dev import Provider

ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
CLIENT = {"grant_type": "client_credentials", "client_id": "client-1", "client_secret": "my-secret"}
WAIT = 60.0
"""Seconds after which a test gives up on what never comes; nothing here waits that long."""


def test_a_fault_occurs_as_often_as_it_was_ordered(provider: Provider, http: requests.Session) -> None:
    provider.faults.add("/token", status=502, body="<html>", headers={"Content-Type": "text/html"}, times=2)
    answers = [http.post(provider.token_endpoint, ADMIN) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [502, 502, 200]
    assert (answers[0].text, answers[0].headers["content-type"]) == ("<html>", "text/html")


def test_a_held_request_waits_for_the_test_and_no_other_waits_for_it(
    provider: Provider, http: requests.Session
) -> None:
    let_go = threading.Event()
    fault = provider.faults.add("/token", hold=let_go)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(requests.post, provider.token_endpoint, ADMIN, timeout=WAIT)
        assert fault.arrived.wait(WAIT)
        assert http.get(provider.jwks_uri).status_code == 200
        assert not held.done()
        let_go.set()
        assert held.result(WAIT).status_code == 200


def test_garbage_goes_out_as_it_is(provider: Provider, http: requests.Session) -> None:
    provider.faults.add("/token", status=200, body=b"\x00\xff{", headers={"Content-Type": "application/json"})
    answer = http.post(provider.token_endpoint, ADMIN)
    assert (answer.status_code, answer.content) == (200, b"\x00\xff{")


def test_a_fault_may_be_for_one_grant_alone(provider: Provider, http: requests.Session) -> None:
    provider.faults.add("/token", grant_type="client_credentials", status=503, headers={"Retry-After": "7"})
    assert http.post(provider.token_endpoint, ADMIN).status_code == 200
    assert http.post(provider.token_endpoint, CLIENT).headers["retry-after"] == "7"
    assert http.post(provider.token_endpoint, CLIENT).status_code == 200


def test_a_fault_for_another_path_or_one_that_is_cleared_does_nothing(
    provider: Provider, http: requests.Session
) -> None:
    provider.faults.add("/certs", status=500)
    assert http.post(provider.token_endpoint, ADMIN).status_code == 200
    provider.faults.clear()
    assert http.get(provider.jwks_uri).status_code == 200


def test_more_may_be_held_than_there_are_threads_in_a_pool(provider: Provider) -> None:
    let_go = threading.Event()
    faults = [provider.faults.add("/token", hold=let_go) for _ in range(48)]
    with ThreadPoolExecutor(48) as pool:
        held = [pool.submit(requests.post, provider.token_endpoint, ADMIN, timeout=WAIT) for _ in faults]
        assert all(fault.arrived.wait(WAIT) for fault in faults)
        assert not any(one.done() for one in held)
        let_go.set()
        assert {one.result(WAIT).status_code for one in held} == {200}


def test_a_provider_stops_although_it_holds_a_request_for_ever() -> None:
    with ThreadPoolExecutor(1) as pool:
        with Provider() as provider:
            fault = provider.faults.add("/token", hold=threading.Event())
            held = pool.submit(requests.post, provider.token_endpoint, ADMIN, timeout=WAIT)
            assert fault.arrived.wait(WAIT)
        with pytest.raises(requests.RequestException):
            held.result(WAIT).raise_for_status()


def test_a_body_that_drips_is_the_same_body(provider: Provider, http: requests.Session) -> None:
    whole = http.get(provider.jwks_uri).content
    provider.faults.add("/certs", drip=0)
    assert http.get(provider.jwks_uri).content == whole


def test_a_body_may_come_byte_by_byte(provider: Provider, http: requests.Session) -> None:
    provider.faults.add("/certs", status=200, body="{}", drip=30)
    with http.get(provider.jwks_uri, stream=True, timeout=25) as answer:
        assert answer.headers["content-length"] == "2"
        assert answer.raw.read(1) == b"{"  # and the other one in half a minute


@pytest.mark.parametrize(("reset", "status", "again"), [("before", 0, 200), ("after", 200, 400)])
def test_a_connection_may_be_reset_before_or_after_the_work_is_done(
    provider: Provider, http: requests.Session, reset: str, status: int, again: int
) -> None:
    endpoint = f"{provider.issuer_of('rotating')}/protocol/openid-connect/token"
    token = http.post(endpoint, ADMIN).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token}
    provider.faults.add("/token", grant_type="refresh_token", reset="before" if reset == "before" else "after")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        http.post(endpoint, form)
    assert provider.requests.to("/token")[-1].status == status
    assert http.post(endpoint, form).status_code == again  # a client that lost the answer has lost the grant
