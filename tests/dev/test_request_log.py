"""The log of a provider's requests: bounded, and without a value that a client sent."""

import sys

import pytest
import requests

from doorkey.dev import Provider
from doorkey.dev.request_log import HIDDEN, MAX_NAMES, LoggedRequest, RequestLog, grant_type_of, logged
from doorkey.wire.messages import FORM, Request

URL = "http://127.0.0.1/token"


def form(body: bytes) -> Request:
    return Request("POST", URL, (("Content-Type", FORM),), body=body)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"grant_type=password&client_id=a&account_id=b", ("grant_type", "client_id", "account_id")),
        (b"my-secret-value", (HIDDEN,)),
        (b"wonderland", (HIDDEN,)),
        (b"grant_type=x&wonderland&a=b", ("grant_type", HIDDEN, "a")),
        (b"c2VjcmV0LXRva2Vu=", (HIDDEN,)),
        (b"eyJhbGciOiJub25lIn0.e30.=1", (HIDDEN,)),
        (b"=value", (HIDDEN,)),
        (b"a%3Db", (HIDDEN,)),
        (b"&&", ()),
        (b"\xff\xfe=1&%ff=1", (HIDDEN, HIDDEN)),
        (b"", ()),
    ],
)
def test_a_value_that_was_sent_without_a_name_is_not_logged(body: bytes, names: tuple[str, ...]) -> None:
    assert logged(form(body), "/token", 200).parameters == names


def test_a_value_without_a_name_in_a_query_is_not_logged(provider: Provider, http: requests.Session) -> None:
    http.get(provider.authorization_endpoint + "?a-secret-that-came-first&state=s")
    http.get(provider.echo + "?access_token=a-secret&another-secret")
    http.post(provider.token_endpoint, "wonderland", headers={"Content-Type": FORM})
    assert [one.parameters for one in provider.requests] == [(HIDDEN, "state"), ("access_token", HIDDEN), (HIDDEN,)]


@pytest.mark.parametrize("value", [b"a secret value", b"Wonderland", b"x" * 1000, b"%00"])
def test_a_value_that_is_not_a_grant_type_is_not_logged(value: bytes) -> None:
    assert logged(form(b"grant_type=" + value), "/token", 400).grant_type is None
    assert grant_type_of(form(b"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer")) is not None


def test_one_entry_is_small_whatever_was_sent() -> None:
    names = b"&".join(b"n" * 2000 + b"%d=1" % number for number in range(5000))
    request = Request("M" * 60_000, URL, (("Content-Type", FORM),), body=names)
    entry = logged(request, "/" + "p" * 60_000, 400)
    assert len(entry.parameters) <= MAX_NAMES
    assert size_of(entry) < 4000


def size_of(entry: LoggedRequest) -> int:
    texts = (entry.method, entry.path, entry.grant_type or "", *entry.parameters)
    return sum(sys.getsizeof(text) for text in texts) + sys.getsizeof(entry.parameters)


def test_the_log_keeps_the_latest_requests_only() -> None:
    log = RequestLog()
    for number in range(10_500):
        log.add(LoggedRequest("GET", f"/{number}", None, (), 200))
    assert (len(log), next(iter(log)).path) == (10_000, "/500")
