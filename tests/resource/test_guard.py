"""The decision about a request: the token, or a complete response that rejects it (RFC 6750 §3)."""

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import given
from hypothesis import strategies as st

from doorkey import UsageError
from doorkey.resource import (
    AccessToken,
    AccessTokenVerifier,
    ApiRequest,
    AsyncAccessTokenVerifier,
    Guard,
    InvalidAccessToken,
    ProtectedResource,
    Rejection,
    Requirement,
)
from doorkey.values import Secret
from tests.resource.test_requirement import CERTIFICATE, THUMBPRINT
from tests.support.fake_clock import START, Clock
from tests.support.resource_server import API, ASKING, ISSUER, OTHER_KEY, Net, Server, page, token
from tests.support.tracebacks import local_variables

READ = Requirement("orders:read")


def request(*headers: tuple[Any, Any], url: str = "/orders", method: str = "GET", **more: Any) -> ApiRequest:
    return ApiRequest(method, url, headers, **more)


def bearer(text: str) -> ApiRequest:
    return request(("Authorization", f"Bearer {text}"))


class Decides:
    """A guard whose every decision blocks; `kind` says whether its verifier and its caller block or await."""

    def __init__(self, kind: str, portal: BlockingPortal, server: Server, clock: Clock) -> None:
        self._portal, self.server, self._clock = portal, server, clock
        self._verifier_awaits, self._caller_awaits = kind == "async", kind != "blocking"

    def guard(self, **options: Any) -> Guard:
        transport: Any = httpx2.MockTransport(Net(self.server))
        http: Any = httpx2.AsyncClient if self._verifier_awaits else httpx2.Client
        kind: Any = AsyncAccessTokenVerifier if self._verifier_awaits else AccessTokenVerifier
        client, clock = http(transport=transport), self._clock
        return Guard(kind(ISSUER, audience=API, introspection=ASKING, http_client=client, clock=clock), **options)

    def decide(self, guard: Guard, *args: Any) -> AccessToken | Rejection:
        if not self._caller_awaits:
            return guard.check(*args)
        decide: Callable[..., Any] = guard.acheck
        decision: AccessToken | Rejection = self._portal.call(decide, *args)
        return decision

    def rejected(self, guard: Guard, *args: Any) -> Rejection:
        found = self.decide(guard, *args)
        assert isinstance(found, Rejection)
        return found


@pytest.fixture(params=["blocking", "async", "blocking verifier, awaiting caller"])
def decides(request: pytest.FixtureRequest, portal: BlockingPortal, server: Server, clock: Clock) -> Decides:
    return Decides(request.param, portal, server, clock)


@pytest.fixture
def guard(decides: Decides) -> Guard:
    return decides.guard()


def test_a_good_request_brings_its_token(decides: Decides, guard: Guard) -> None:
    for _ in range(2):
        found = decides.decide(guard, bearer(token()), READ)
        assert isinstance(found, AccessToken)
        assert found.sub == "alice"


def test_a_request_without_a_token_gets_a_challenge_with_the_scopes_it_needs(decides: Decides, guard: Guard) -> None:
    found = decides.rejected(guard, request(), READ)
    assert (found.status, found.challenge) == (401, 'Bearer scope="orders:read"')
    assert ("Content-Type", "application/json") in found.headers
    assert ("Cache-Control", "no-store") in found.headers
    assert json.loads(found.body)["error"] == "missing_token"


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (
            request(("Authorization", f"Bearer {token()}"), ("authorization", f"Bearer {token()}")),
            400,
            "invalid_request",
        ),
        (request(url=f"/orders?access_token={token()}"), 400, "invalid_request"),
        (request(("Authorization", "Bearer a b")), 400, "invalid_request"),
        (bearer(token(OTHER_KEY)), 401, "invalid_token"),
        (bearer(token(exp=int(START) - 3600)), 401, "invalid_token"),
        (bearer(token(issuer="https://mallory.example")), 401, "invalid_token"),
        (bearer("unknown"), 401, "invalid_token"),
        (bearer(token(cnf={"x5t#S256": THUMBPRINT})), 401, "invalid_token"),
        (bearer(token(cnf={"jkt": "k"})), 401, "invalid_token"),
        (request(("Authorization", f"DPoP {token(cnf={'jkt': 'k'})}")), 401, "invalid_token"),
        (bearer(token(scope="other")), 403, "insufficient_scope"),
    ],
)
def test_each_rejection_has_its_status_and_a_complete_challenge(
    decides: Decides, guard: Guard, sent: ApiRequest, status: int, error: str
) -> None:
    found = decides.rejected(guard, sent, READ)
    body = json.loads(found.body)
    assert (found.status, body["error"]) == (status, error)
    assert (found.challenge or "").startswith(f'Bearer error="{error}", error_description="')
    assert found.close_code == 1008
    assert found.error.error == error


def test_a_step_up_names_what_the_client_asks_for(decides: Decides, guard: Guard) -> None:
    found = decides.rejected(guard, bearer(token(acr="bronze")), Requirement(acr="gold", max_age=60))
    assert found.status == 401
    assert 'error="insufficient_user_authentication"' in (found.challenge or "")
    assert (found.challenge or "").endswith('acr_values="gold", max_age="60"')


@pytest.mark.parametrize(
    "answer",
    [
        page({}, 500),
        page("<html>"),
        page({"error": "invalid_client"}, 401),
        httpx2.Response(302, headers={"location": "/"}),
    ],
)
def test_a_token_that_cannot_be_checked_is_503_and_says_nothing_of_the_server(
    decides: Decides, guard: Guard, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    decides.server.instead["/introspect"] = lambda _: answer
    found = decides.rejected(guard, bearer("opaque"), READ)
    assert (found.status, found.challenge, found.close_code) == (503, None, 1013)
    assert json.loads(found.body) == {
        "error": "temporarily_unavailable",
        "error_description": "the access token cannot be checked at the moment",
    }
    assert "cannot be checked" in caplog.text


def test_a_server_that_says_when_to_come_back_says_it_to_the_client(decides: Decides, guard: Guard) -> None:
    decides.server.instead["/jwks_uri"] = lambda _: page({}, 503, **{"retry-after": "7"})
    found = decides.rejected(guard, bearer(token()))
    assert (found.status, ("Retry-After", "7") in found.headers) == (503, True)


def test_headers_may_be_bytes_and_a_url_may_be_whole(decides: Decides, guard: Guard) -> None:
    sent = request((b"authorization", f"Bearer {token()}".encode()), url="https://api.example/orders?x=1")
    assert isinstance(decides.decide(guard, sent), AccessToken)


def test_a_token_in_the_query_is_accepted_where_the_program_says_so(decides: Decides) -> None:
    guard = decides.guard(token_in_query=True)
    assert isinstance(decides.decide(guard, request(url=f"/orders?access_token={token()}")), AccessToken)
    sent = request(("Authorization", f"Bearer {token()}"), url=f"/orders?access_token={token()}")
    assert decides.rejected(guard, sent).status == 400


def test_a_client_certificate_proves_the_key_of_a_bound_token(decides: Decides, guard: Guard) -> None:
    header = ("Authorization", f"Bearer {token(cnf={'x5t#S256': THUMBPRINT})}")
    assert isinstance(decides.decide(guard, request(header, certificate=CERTIFICATE)), AccessToken)
    assert decides.rejected(guard, request(header, certificate=b"another")).status == 401


def test_realm_and_metadata_url_are_part_of_each_challenge(decides: Decides) -> None:
    guard = decides.guard(realm="orders", resource="https://api.example/v1")
    url = "https://api.example/.well-known/oauth-protected-resource/v1"
    found = decides.rejected(guard, request())
    assert found.challenge == f'Bearer realm="orders", resource_metadata="{url}"'


def test_the_metadata_of_the_api_is_served(decides: Decides) -> None:
    guard = decides.guard(resource="https://api.example/v1")
    path = "/.well-known/oauth-protected-resource/v1"
    for url in (path, f"https://internal:8000{path}", f"{path}?x=1"):
        reply = guard.metadata_reply(request(url=url))
        assert reply is not None
        assert (reply.status, dict(reply.headers)["Content-Type"]) == (200, "application/json")
        assert json.loads(reply.body) == {
            "resource": "https://api.example/v1",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
        }
    refused = guard.metadata_reply(request(url=path, method="POST"))
    assert refused is not None
    assert (refused.status, ("Allow", "GET, HEAD") in refused.headers) == (405, True)
    for url in ("/orders", "/.well-known/oauth-protected-resource", "/"):
        assert guard.metadata_reply(request(url=url)) is None
    assert decides.guard().metadata_reply(request(url="")) is None


def test_the_metadata_may_be_the_programs_own(decides: Decides) -> None:
    described = ProtectedResource(resource="https://api.example", scopes_supported=("orders:read",))
    reply = decides.guard(resource=described).metadata_reply(request(url="/.well-known/oauth-protected-resource"))
    assert reply is not None
    assert json.loads(reply.body)["scopes_supported"] == ["orders:read"]


def test_a_function_of_the_program_may_verify_dpop_proofs(decides: Decides) -> None:
    seen: list[tuple[ApiRequest, Secret]] = []

    def dpop(sent: ApiRequest, presented: Secret) -> str:
        seen.append((sent, presented))
        proof = dict(sent.pairs).get("DPoP")
        if proof is None:
            raise InvalidAccessToken("DPoP", "is missing")
        return proof

    guard, text = decides.guard(dpop=dpop), token(cnf={"jkt": "k"})
    scheme = ("Authorization", f"DPoP {text}")
    sent = request(scheme, ("DPoP", "k"))
    assert isinstance(decides.decide(guard, sent), AccessToken)
    assert seen == [(sent, Secret(text))]
    for wrong in (request(scheme, ("DPoP", "another")), request(scheme)):
        found = decides.rejected(guard, wrong)
        assert (found.status, (found.challenge or "").split()[0]) == (401, "DPoP")
    assert (decides.rejected(guard, bearer(text)).challenge or "").startswith("Bearer ")


def test_a_thumbprint_function_that_returns_something_else_is_an_error(decides: Decides) -> None:
    def verifies_and_returns_nothing(sent: ApiRequest, presented: Secret) -> Any:
        assert (sent.method, presented) == ("GET", Secret(text))

    text = token(cnf={"jkt": "k"})
    guard = decides.guard(dpop=verifies_and_returns_nothing)
    with pytest.raises(UsageError, match="thumbprint"):
        decides.decide(guard, request(("Authorization", f"DPoP {text}")))


@pytest.mark.anyio
async def test_the_function_may_be_asynchronous(server: Server, clock: Clock) -> None:
    async def dpop(sent: ApiRequest, presented: Secret) -> str:
        return "k"

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(Net(server)))
    verifier = AsyncAccessTokenVerifier(ISSUER, audience=API, http_client=http, clock=clock)
    sent = request(("Authorization", f"DPoP {token(cnf={'jkt': 'k'})}"))
    assert isinstance(await Guard(verifier, dpop=dpop).acheck(sent), AccessToken)


@pytest.mark.anyio
async def test_a_verifier_that_blocks_does_not_block_the_event_loop(server: Server, clock: Clock) -> None:
    threads: list[threading.Thread] = []

    def noting(sent: Any) -> Any:
        threads.append(threading.current_thread())
        return Net(server)(sent)

    http = httpx2.Client(transport=httpx2.MockTransport(noting))
    guard = Guard(AccessTokenVerifier(ISSUER, audience=API, http_client=http, clock=clock))
    assert isinstance(await guard.acheck(bearer(token())), AccessToken)
    assert threads
    assert threading.main_thread() not in threads


def test_a_caller_that_blocks_needs_a_verifier_that_blocks() -> None:
    guard = Guard(AsyncAccessTokenVerifier(ISSUER, audience=API))
    assert guard.awaits
    with pytest.raises(UsageError, match="await acheck"):
        guard.check(request())
    assert not Guard(AccessTokenVerifier(ISSUER, audience=API)).awaits


@pytest.mark.parametrize(
    "options",
    [{"realm": 5}, {"resource": "api"}, {"resource": 5}, {"dpop": "hook"}, {"resource": "http://api.example"}],
)
def test_a_guard_with_wrong_options_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Guard(AccessTokenVerifier(ISSUER, audience=API), **options)


def test_a_guard_needs_a_verifier() -> None:
    wrong: Any = ISSUER
    with pytest.raises(UsageError, match="AccessTokenVerifier"):
        Guard(wrong)


@pytest.mark.parametrize("answer", [page({"active": False}), page({}, 500)], ids=["rejected", "not checked"])
def test_neither_the_request_nor_its_rejection_shows_the_token(decides: Decides, guard: Guard, answer: Any) -> None:
    sent = bearer("secret-token")
    assert "secret-token" not in repr(sent)
    decides.server.instead["/introspect"] = lambda _: answer
    found = decides.rejected(guard, sent)
    assert "secret-token" not in repr(found)
    assert "secret-token" not in local_variables(found.error)


def test_an_error_of_the_program_in_a_check_shows_the_token_neither(decides: Decides, guard: Guard) -> None:
    text = token(tenant="acme")
    with pytest.raises(ZeroDivisionError) as caught:
        decides.decide(guard, bearer(text), Requirement(claims={"tenant": lambda _: 1 / 0}))
    assert text not in local_variables(caught.value)


GUARD = Decides("blocking", None, Server(), Clock()).guard()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
HEADERS = st.lists(st.tuples(st.sampled_from([b"authorization", b"x"]), st.binary() | st.just(b"Bearer a.b.c")))


@given(HEADERS, st.text())
def test_any_headers_and_any_url_are_decided(headers: list[tuple[bytes, bytes]], url: str) -> None:
    found = GUARD.check(ApiRequest("GET", url, headers), READ)
    assert isinstance(found, Rejection)
    assert found.status in (400, 401)
    assert all(value.isprintable() for _, value in found.headers)
