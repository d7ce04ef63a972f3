import asyncio
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run
from typing import cast

import pytest
import requests
import uvicorn

import doorkey.dev.provider
from doorkey.dev import Provider, Settings, client, user
from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims
from doorkey.server.clients.assertion import ASSERTION_TYPE
from tests.recordings.compare import recorded
from tests.servers.browser import forms
from tests.servers.process import port_of_ones_own
from tests.support.changed_text import with_changed
from tests.support.fake_clock import Clock

ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
CLIENT = {"grant_type": "client_credentials", "client_id": "client-1", "client_secret": "my-secret"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def access_token(http: requests.Session, provider: Provider) -> str:
    return str(http.post(provider.token_endpoint, ADMIN).json()["access_token"])


def test_the_readme_story_of_a_removed_session(provider: Provider, http: requests.Session) -> None:
    token = http.post(provider.token_endpoint, ADMIN).json()
    headers = bearer(token["access_token"])
    assert http.get(f"{provider.origin}/admin/realms/master/users/count", headers=headers).text == "4"
    session = f"{provider.origin}/admin/realms/master/sessions/{token['session_state']}"
    assert http.delete(session, headers=headers).status_code == 204
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token["refresh_token"]}
    answer = http.post(provider.token_endpoint, form)
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": "Session not active"}


def test_the_issuer_follows_the_name_it_is_asked_at(provider: Provider, http: requests.Session) -> None:
    for host in ("localhost", "127.0.0.1"):
        issuer = f"http://{host}:{provider.port}/realms/master"
        metadata = http.get(f"{issuer}/.well-known/openid-configuration").json()
        assert metadata["issuer"] == issuer
        assert metadata["token_endpoint"].startswith(issuer)
        token = http.post(metadata["token_endpoint"], ADMIN).json()["access_token"]
        assert unsafe_claims(token)["iss"] == issuer


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_a_name_that_is_not_this_machine_is_refused(provider: Provider, http: requests.Session, host: str) -> None:
    url = f"{provider.issuer}/.well-known/openid-configuration"
    assert http.get(url, headers={"Host": host}).status_code == 400


def test_nothing_listens_beyond_loopback_by_default() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "example.org", "::"):  # noqa: S104  # refused
        with pytest.raises(UsageError, match="must be allowed explicitly"):
            Provider(host=host)


def test_discovery_promises_only_what_keycloak_promises_too(provider: Provider, http: requests.Session) -> None:
    ours = http.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    theirs = recorded()["discovery document"]["body"]
    # RFC 9701 §7; Keycloak signs such responses too, and does not tell by which algorithms.
    theirs["introspection_signing_alg_values_supported"] = theirs["id_token_signing_alg_values_supported"]
    for name, value in ours.items():
        if isinstance(value, list):
            assert all(one in theirs[name] for one in cast(list[object], value)), name
        elif isinstance(value, str):
            assert value.replace(provider.origin, "<origin>") == theirs[name]


def test_what_discovery_promises_is_there(provider: Provider, http: requests.Session) -> None:
    metadata = http.get(f"{provider.issuer}/.well-known/openid-configuration").json()
    for name, url in metadata.items():
        if name.endswith(("_endpoint", "_uri")):
            assert http.get(url).status_code != 404, name
    assert metadata["authorization_endpoint"] == provider.authorization_endpoint
    assert metadata["token_endpoint"] == provider.token_endpoint
    assert metadata["introspection_endpoint"] == provider.introspection_endpoint
    assert metadata["revocation_endpoint"] == provider.revocation_endpoint
    assert metadata["userinfo_endpoint"] == provider.userinfo_endpoint
    assert metadata["end_session_endpoint"] == provider.end_session_endpoint
    assert metadata["jwks_uri"] == provider.jwks_uri


def test_time_passes_only_when_the_test_advances_it(provider: Provider, http: requests.Session) -> None:
    headers = bearer(access_token(http, provider))
    assert http.get(provider.echo, headers=headers).status_code == 200
    provider.advance(60)
    assert http.get(provider.echo, headers=headers).status_code == 401


def test_the_clock_may_be_given(http: requests.Session) -> None:
    with Provider(clock=lambda: 1_000_000.0) as provider:
        assert unsafe_claims(access_token(http, provider))["iat"] == 1_000_000


def test_the_lifetime_may_be_given(http: requests.Session) -> None:
    with Provider(access_token_lifetime=7) as provider:
        assert http.post(provider.token_endpoint, ADMIN).json()["expires_in"] == 7


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_echo_tells_what_came(provider: Provider, http: requests.Session, method: str) -> None:
    headers = bearer(access_token(http, provider))
    body = b"x" * 1_000_000
    told = http.request(method, provider.echo, headers=headers, data=body).json()
    assert told == {"method": method, "authorization": headers["Authorization"], "body_size": len(body)}


def test_the_echo_challenges_as_rfc_6750_says(provider: Provider, http: requests.Session) -> None:
    without = http.get(provider.echo)
    assert (without.status_code, without.headers["www-authenticate"]) == (401, 'Bearer realm="echo"')
    for token in ("garbage", "a.b.c", with_changed(access_token(http, provider), -4)):
        answer = http.get(provider.echo, headers=bearer(token))
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_tokens_of_every_realm_and_name_are_good_at_the_echo(provider: Provider, http: requests.Session) -> None:
    for origin in (provider.origin, f"http://localhost:{provider.port}"):
        for realm in ("master", "rotating"):
            token = http.post(f"{origin}/realms/{realm}/protocol/openid-connect/token", CLIENT).json()
            assert http.get(provider.echo, headers=bearer(token["access_token"])).status_code == 200


def test_realms_have_keys_of_their_own(provider: Provider, http: requests.Session) -> None:
    kids = {
        http.get(f"{provider.issuer_of(realm)}/protocol/openid-connect/certs").json()["keys"][0]["kid"]
        for realm in ("master", "rotating")
    }
    assert len(kids) == 2


def test_requests_are_logged_by_name_and_without_a_secret(provider: Provider, http: requests.Session) -> None:
    http.post(provider.token_endpoint, ADMIN)
    http.post(provider.token_endpoint, {**ADMIN, "password": "wrong-password"})
    first, second = provider.requests.to("/token")
    assert (first.method, first.grant_type, first.status) == ("POST", "password", 200)
    assert first.parameters == ("grant_type", "client_id", "username", "password")
    assert second.status == 400
    assert "wrong-password" not in repr(list(provider.requests))
    assert provider.token_requests == 2
    provider.requests.clear()
    assert provider.token_requests == 0


def test_64_clients_at_once_each_get_their_own_session(provider: Provider) -> None:
    together = threading.Barrier(64)

    def log_in(_: int) -> str:
        together.wait()
        answer = requests.post(provider.token_endpoint, ADMIN, timeout=30)
        return str(answer.json()["session_state"])

    with ThreadPoolExecutor(64) as pool:
        assert len(set(pool.map(log_in, range(64)))) == 64
    assert provider.token_requests == 64


def test_of_64_that_refresh_with_one_rotating_token_one_wins_and_the_grant_is_lost(
    provider: Provider, http: requests.Session
) -> None:
    endpoint = f"{provider.issuer_of('rotating')}/protocol/openid-connect/token"
    token = http.post(endpoint, ADMIN).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": "admin-cli", "refresh_token": token}
    with ThreadPoolExecutor(64) as pool:
        asked = [pool.submit(requests.post, endpoint, form, timeout=30) for _ in range(64)]
    answers = [future.result() for future in asked]
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 63
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert http.post(endpoint, {**form, "refresh_token": won["refresh_token"]}).status_code == 400
    assert http.get(provider.echo, headers=bearer(won["access_token"])).status_code == 401


def test_clients_users_and_realms_may_be_given(http: requests.Session) -> None:
    with Provider(
        clients=[client("mine", "my-own-secret")],
        users=[user("bob", "builder", given_name="Bob")],
        realms={"third": Settings(access_token_lifetime=5)},
    ) as provider:
        form = {"grant_type": "password", "client_id": "mine", "client_secret": "my-own-secret"}
        endpoint = f"{provider.issuer_of('third')}/protocol/openid-connect/token"
        answer = http.post(endpoint, {**form, "username": "bob", "password": "builder"})
        assert answer.json()["expires_in"] == 5
        assert http.post(provider.token_endpoint, ADMIN).status_code == 200


def test_a_client_that_signs_is_registered_with_its_public_keys(http: requests.Session) -> None:
    key = generate_key("ES256")
    with Provider(client_jwks={"pkjwt-es256": {"keys": [key.public_jwk()]}}) as provider:
        who = {"iss": "pkjwt-es256", "sub": "pkjwt-es256", "aud": provider.issuer}
        assertion = sign({**who, "exp": int(time.time()) + 60, "jti": "one"}, key, alg="ES256")
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE}
        assert http.post(provider.token_endpoint, {**form, "client_assertion": assertion}).status_code == 200


def test_a_taken_port_is_one_clear_error(provider: Provider) -> None:
    with pytest.raises(UsageError, match=f"cannot listen at 127.0.0.1:{provider.port}"):
        Provider(port=provider.port).start()


@pytest.mark.parametrize("fails", [True, False], ids=["its start fails", "its start takes too long"])
def test_a_provider_that_does_not_start_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, http: requests.Session, fails: bool
) -> None:
    async def startup(self: uvicorn.Server, sockets: object = None) -> None:
        if fails:
            raise OSError("no more files")
        while not self.should_exit:  # noqa: ASYNC110  # uvicorn tells by a flag
            await asyncio.sleep(0)

    threads = set(threading.enumerate())
    provider = Provider(store=tmp_path / "store")
    with monkeypatch.context() as broken:
        broken.setattr(uvicorn.Server, "startup", startup)
        broken.setattr(doorkey.dev.provider, "START_SECONDS", 10.0 if fails else 0.0)
        with pytest.raises(UsageError, match="did not start") as caught:
            provider.start()
    assert isinstance(caught.value.__cause__, OSError) is fails
    assert set(threading.enumerate()) <= threads  # an idle thread of another test may end meanwhile
    assert [file.name for file in tmp_path.iterdir()] == ["store"]  # its log goes when it is closed
    with provider:
        assert access_token(http, provider)


def test_a_stopped_provider_lets_go_of_its_port() -> None:
    port = port_of_ones_own()  # no other program gets it at once
    with Provider(port=port):
        pass
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=60)


def test_requests_are_bounded_and_odd_ones_get_a_response(provider: Provider, http: requests.Session) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert http.post(provider.token_endpoint, b"a=" + b"x" * 1_000_000, headers=form).status_code == 413
    for body in (b"%ff=%ff", b"\xff", b"&".join(b"a%d=1" % number for number in range(500)), b"{}"):
        assert http.post(provider.token_endpoint, body, headers=form).status_code == 400
    assert http.post(provider.token_endpoint, json={"grant_type": "password"}).status_code == 400
    for path in ("/", "/realms/", "/realms/master", "/realms/../admin", "/admin/", "/admin/realms/master"):
        assert http.get(provider.origin + path).status_code in (401, 404)
    assert http.request("BREW", provider.token_endpoint).status_code == 405


def test_every_response_forbids_sniffing(provider: Provider, http: requests.Session) -> None:
    token = access_token(http, provider)
    provider.faults.add("/certs", status=503, body=b"<script>")
    login = {"client_id": "client-1", "redirect_uri": "http://127.0.0.1:9499/cb"}
    answers = [
        http.get(f"{provider.issuer}/.well-known/openid-configuration"),
        http.get(provider.jwks_uri),
        http.get(provider.jwks_uri),
        http.post(provider.token_endpoint, ADMIN),
        http.post(provider.token_endpoint, {}),
        http.post(provider.token_endpoint, b"x" * 1_000_000),
        http.get(provider.userinfo_endpoint),
        http.get(provider.userinfo_endpoint, headers=bearer(token)),
        http.post(provider.revocation_endpoint, {"client_id": "admin-cli", "token": token}),
        http.get(provider.authorization_endpoint),
        http.get(provider.authorization_endpoint, params={**login, "response_type": "code"}),
        http.get(provider.authorization_endpoint, params={**login, "response_mode": "form_post"}),
        http.get(provider.authorization_endpoint, params=login, allow_redirects=False),
        http.get(provider.end_session_endpoint),
        http.get(provider.echo),
        http.get(provider.origin + "/"),
        http.get(provider.origin, headers={"Host": "evil.example"}),
        http.head(provider.origin),
        http.request("BREW", provider.token_endpoint),
        http.delete(f"{provider.origin}/admin/realms/master/sessions/none", headers=bearer(token)),
    ]
    assert {answer.status_code for answer in answers} >= {200, 302, 400, 401, 403, 404, 405, 413, 503}
    sent = [(answer.url, answer.headers.get("X-Content-Type-Options")) for answer in answers]
    assert [url for url, value in sent if value != "nosniff"] == []


def test_a_redirect_uri_beyond_latin_1_is_refused(provider: Provider, http: requests.Session) -> None:
    asked = {"client_id": "client-1", "response_type": "code", "prompt": "none"}
    for uri in ("http://127.0.0.1/\u2603", "http://127.0.0.1/\u00fc", "http://127.0.0.1/\U0001f511?q"):
        answer = http.get(provider.authorization_endpoint, params={**asked, "redirect_uri": uri}, allow_redirects=False)
        assert (answer.status_code, "redirect_uri" in answer.text) == (400, True)


def test_a_blocked_login_says_for_how_long(http: requests.Session) -> None:
    with Provider(clock=Clock()) as provider:  # of a second that does not pass meanwhile
        wrong = {**ADMIN, "password": "wrong"}
        answers = [http.post(provider.token_endpoint, wrong) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [400] * 6 + [429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 1
        assert answers[-1].json()["error"] == "temporarily_unavailable"
        asked = {"client_id": "client-1", "redirect_uri": "http://127.0.0.1:9499/cb", "response_type": "code"}
        (form,) = forms(http.get(provider.authorization_endpoint, params=asked).text, provider.origin)
        page = http.post(form.action, {**form.fields, "username": "admin", "password": "admin"})
        assert page.status_code == 429
        assert "Too many failed logins. Try again in 1 second." in page.text
        provider.advance(int(page.headers["Retry-After"]))
        page = http.post(form.action, {**form.fields, "username": "admin", "password": "admin"}, allow_redirects=False)
        assert page.status_code == 303


def test_the_core_needs_no_framework() -> None:
    program = (
        "import sys, doorkey.server.endpoints.token, doorkey.server.storage.sqlite\n"
        "assert not {'starlette', 'uvicorn', 'anyio', 'requests'} & set(sys.modules)"
    )
    assert run([sys.executable, "-c", program], check=False, timeout=300).returncode == 0
