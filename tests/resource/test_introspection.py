"""Opaque tokens: asked about at their issuer, once for all callers, and never accepted without its word (RFC 7662)."""

import threading
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import anyio
import httpx2
import pytest

from doorkey import ExchangePolicy, TransportError, UsageError
from doorkey.errors import InvalidClient, InvalidResponse, TemporarilyUnavailable
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import verify
from doorkey.resource import (
    AccessTokenVerifier,
    AsyncAccessTokenVerifier,
    InsufficientPrivileges,
    IntrospectionClient,
    InvalidAccessToken,
    TrustedIssuer,
)
from doorkey.resource.core import digest_of
from doorkey.values import Secret
from tests.support.backends import both_backends
from tests.support.fake_clock import START, Clock
from tests.support.flights import Watched
from tests.support.resource_server import (
    ACTIVE,
    API,
    ASKING,
    ISSUER,
    OPAQUE,
    OTHER_KEY,
    Apis,
    Net,
    Server,
    form_of,
    page,
    token,
    unchecked,
)


@pytest.fixture
def asking(apis: Apis, server: Server) -> Any:
    """A verifier that asks about opaque tokens; the server calls `OPAQUE` active for ten minutes."""
    server.tokens[OPAQUE] = {**ACTIVE, "exp": int(START) + 600}
    return apis(ISSUER, audience=API, introspection=ASKING)


def rejected(api: Any, text: str = OPAQUE) -> InvalidAccessToken:
    with pytest.raises(InvalidAccessToken) as caught:
        api.verify(text)
    return caught.value


def test_an_active_token_is_accepted_with_its_members(asking: Any, server: Server) -> None:
    found = asking.verify(OPAQUE, scopes="orders:read")
    assert (found.issuer, found.sub, found.client_id, found.expires_at) == (ISSUER, "alice", "app", START + 600)
    assert found.claims["scope"] == "orders:read"
    [request] = [one for one in server.requests if one.url.path == "/introspect"]
    assert form_of(request) == {"token": OPAQUE, "token_type_hint": "access_token"}
    scheme, _, credentials = request.headers["authorization"].partition(" ")
    assert (scheme, b64decode(credentials)) == ("Basic", b"api:api-secret")
    with pytest.raises(InsufficientPrivileges):
        asking.verify(OPAQUE, scopes="admin")


def test_a_token_that_is_not_active_is_rejected(asking: Any) -> None:
    error = rejected(asking, "unknown")
    assert (error.claim, error.status, error.error) == ("active", 401, "invalid_token")


@pytest.mark.parametrize(
    ("members", "claim"),
    [
        ({"aud": "https://other.example"}, "aud"),
        ({"aud": None}, "aud"),
        ({"iss": "https://mallory.example"}, "iss"),
        ({"exp": int(START) - 3600}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"nbf": int(START) + 3600}, "nbf"),
        ({"token_type": "refresh_token"}, "token_type"),
        ({"sub": 5}, "sub"),
        ({"cnf": {"x5t#S256": "t"}}, "cnf"),
    ],
)
def test_a_false_response_is_not_believed(asking: Any, server: Server, members: dict[str, Any], claim: str) -> None:
    said = {**ACTIVE, **members}
    server.tokens[OPAQUE] = {name: value for name, value in said.items() if value is not None}
    assert rejected(asking).claim == claim


@pytest.mark.parametrize("active", ["true", 1, None, [True]])
def test_a_response_that_does_not_say_active_in_so_many_words_is_no_answer(
    asking: Any, server: Server, active: object
) -> None:
    server.tokens[OPAQUE] = {**ACTIVE, "active": active}
    assert isinstance(unchecked(asking), InvalidResponse)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (page({}, 500), InvalidResponse),
        (page({"error": "invalid_client"}, 401), InvalidClient),
        (page({}, 503), TemporarilyUnavailable),
        (page([]), InvalidResponse),
        (httpx2.Response(200, content=b"<html>active: true</html>"), InvalidResponse),
        (httpx2.Response(200, content=b'{"active": true, "active": false}'), InvalidResponse),
        (httpx2.Response(302, headers={"location": "https://mallory.example"}), InvalidResponse),
    ],
)
def test_an_error_of_the_server_permits_nothing(asking: Any, server: Server, answer: Any, kind: Any) -> None:
    server.instead["/introspect"] = lambda _: answer
    assert isinstance(unchecked(asking), kind)


def test_a_server_that_cannot_be_reached_permits_nothing_and_is_not_asked_in_a_loop(
    asking: Any, server: Server, clock: Clock
) -> None:
    def down(request: httpx2.Request) -> Any:
        raise httpx2.ConnectError("no connection", request=request)

    server.instead["/introspect"] = down
    assert isinstance(unchecked(asking), TransportError)
    assert isinstance(unchecked(asking), TransportError)
    assert len(server.asked) == 1
    del server.instead["/introspect"]
    clock.advance(60)
    assert asking.verify(OPAQUE).sub == "alice"


def test_a_response_is_used_again_for_a_while(asking: Any, server: Server, clock: Clock) -> None:
    for _ in range(3):
        asking.verify(OPAQUE)
    assert server.asked == [OPAQUE]
    clock.advance(ASKING.cache_for)
    server.tokens[OPAQUE] = {"active": False}
    assert rejected(asking).claim == "active"


def test_no_response_outlives_the_token(asking: Any, server: Server, clock: Clock) -> None:
    server.tokens[OPAQUE]["exp"] = int(START) + 10
    asking.verify(OPAQUE)
    clock.advance(10)
    asking.verify(OPAQUE)  # within the leeway, and asked again
    assert len(server.asked) == 2


def test_that_a_token_is_not_active_is_used_again_for_seconds_only(asking: Any, server: Server, clock: Clock) -> None:
    rejected(asking, "new")
    rejected(asking, "new")
    assert len(server.asked) == 1
    server.tokens["new"] = ACTIVE
    clock.advance(5)
    assert asking.verify("new").sub == "alice"


def test_a_program_may_have_every_request_asked_about(apis: Apis, server: Server) -> None:
    server.tokens[OPAQUE] = ACTIVE
    api = apis(ISSUER, audience=API, introspection=replace(ASKING, cache_for=0))
    for _ in range(3):
        api.verify(OPAQUE)
    assert len(server.asked) == 3
    for _ in range(2):
        rejected(api, "unknown")
    assert len(server.asked) == 5


def test_a_response_without_an_audience_is_accepted_only_where_the_program_says_so(apis: Apis, server: Server) -> None:
    server.tokens[OPAQUE] = {"active": True}
    api = apis(ISSUER, audience=API, introspection=replace(ASKING, audience_required=False))
    found = api.verify(OPAQUE)
    assert (found.sub, found.client_id, found.expires_at) == (None, None, None)
    assert (found.scopes.tokens, found.audience) == ((), ())


def test_jwts_are_verified_here_unless_the_program_has_them_asked_about(apis: Apis, server: Server) -> None:
    text = token()
    assert apis(ISSUER, audience=API, introspection=ASKING).verify(text).sub == "alice"
    assert server.asked == []
    api = apis(ISSUER, audience=API, introspection=replace(ASKING, jwts=True))
    assert rejected(api, text).claim == "active"
    server.tokens[token(jti="2")] = ACTIVE
    other = token(jti="3")
    server.tokens[other] = ACTIVE
    assert api.verify(other).sub == "alice"
    assert len(server.asked) == 2


def test_a_jwt_that_names_no_issuer_is_asked_about_and_one_of_another_issuer_is_not(
    asking: Any, server: Server
) -> None:
    nameless = token(iss=None)
    server.tokens[nameless] = ACTIVE
    assert asking.verify(nameless).sub == "alice"
    assert rejected(asking, token(issuer="https://mallory.example")).claim == "iss"
    assert "differ by a slash" in rejected(asking, token(issuer=f"{ISSUER}/")).reason
    assert server.asked == [nameless]


def test_credentials_and_opaque_tokens_go_to_one_issuer_only(apis: Apis, server: Server) -> None:
    other = Server("https://other.example")
    for introspection in (ASKING, replace(ASKING, jwts=True)):
        several = [TrustedIssuer(one, audience=API, introspection=introspection) for one in (ISSUER, other.issuer)]
        with pytest.raises(UsageError, match="opaque"):
            apis(several)
    with pytest.raises(UsageError, match="one issuer"):
        apis([ISSUER, other.issuer], audience=API, introspection=ASKING)
    jwts = IntrospectionClient(client_id="api", client_secret="other-secret", opaque=False, jwts=True)
    mixed = [
        TrustedIssuer(ISSUER, audience=API, introspection=ASKING),
        TrustedIssuer(other.issuer, audience=API, introspection=jwts),
    ]
    api = apis(mixed, servers=(other,))
    server.tokens[OPAQUE] = ACTIVE
    theirs = token(OTHER_KEY, issuer=other.issuer)
    other.tokens[theirs] = ACTIVE
    assert (api.verify(OPAQUE).issuer, api.verify(theirs).issuer) == (ISSUER, other.issuer)
    assert (server.asked, other.asked) == ([OPAQUE], [theirs])


def test_the_endpoint_is_that_of_the_metadata_or_of_the_program(apis: Apis, server: Server) -> None:
    server.instead["/own"] = lambda _: page(ACTIVE)
    api = apis(ISSUER, audience=API, introspection=replace(ASKING, endpoint=f"{ISSUER}/own"))
    assert api.verify(OPAQUE).sub == "alice"
    bare = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"}
    server.instead["/.well-known/openid-configuration"] = lambda _: page(bare)
    error = unchecked(apis(ISSUER, audience=API, introspection=ASKING))
    assert "introspection_endpoint" in str(error)


@pytest.mark.parametrize(
    "options",
    [
        {"client_id": ""},
        {"client_id": "api", "client_secret": 5},
        {"client_id": "api", "opaque": False},
        {"client_id": "api", "signed": "yes"},
        {"client_id": "api", "cache_for": -1},
    ],
)
def test_an_introspection_client_with_wrong_options_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        IntrospectionClient(**options)


def test_the_secret_of_the_api_is_not_shown() -> None:
    assert ASKING.client_secret == Secret("api-secret")
    assert "api-secret" not in repr(ASKING) + repr(TrustedIssuer(ISSUER, audience=API, introspection=ASKING))


def test_an_api_may_authenticate_by_its_private_key_or_by_post(apis: Apis, server: Server) -> None:
    server.tokens[OPAQUE] = ACTIVE
    key = generate_key("ES256")
    by_key = IntrospectionClient(client_id="api", client_secret=key.as_dict(is_private=True))
    by_post = replace(ASKING, auth_methods=("client_secret_post",))
    for asking in (by_key, by_post):
        apis(ISSUER, audience=API, introspection=asking).verify(OPAQUE)
    by_key_form, by_post_form = (form_of(one) for one in server.requests if one.url.path == "/introspect")
    assertion = verify(by_key_form["client_assertion"], key.public_jwk(), algorithms="ES256")
    assert (assertion.claims["iss"], assertion.claims["aud"]) == ("api", ISSUER)
    assert by_post_form["client_secret"] == "api-secret"


def watched_lock_of(verifier: AccessTokenVerifier) -> Watched:
    """Return the lock of the request about `OPAQUE`, before it is made: it tells who has queued."""
    opaque, digest = verifier._core._opaque, digest_of(OPAQUE)
    assert opaque is not None
    assert opaque._introspector is not None
    flow = opaque._introspector.members(OPAQUE, digest)
    next(flow)
    flow.close()
    lock = Watched()
    opaque._introspector._responses.get(digest, pytest.fail).lock = lock
    return lock


def test_threads_with_the_same_token_ask_once() -> None:
    server, begun, go = Server(), threading.Event(), threading.Event()

    def slow(_: Any) -> Any:
        begun.set()
        assert go.wait(60)
        return page(ACTIVE)

    server.instead["/introspect"] = slow
    http = httpx2.Client(transport=httpx2.MockTransport(Net(server)))
    verifier = AccessTokenVerifier(ISSUER, audience=API, introspection=ASKING, http_client=http, clock=Clock())
    lock = watched_lock_of(verifier)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(verifier.verify, OPAQUE)
        assert begun.wait(60)
        others = [pool.submit(verifier.verify, OPAQUE) for _ in range(7)]
        lock.wait_for(7)
        go.set()
        assert {future.result().sub for future in (first, *others)} == {"alice"}
    assert server.asked == [OPAQUE]


@pytest.mark.anyio
@both_backends
async def test_tasks_with_the_same_token_ask_once_and_share_a_failure() -> None:
    server, begun, go = Server(), anyio.Event(), anyio.Event()

    async def slow(request: httpx2.Request) -> Any:
        if request.url.path == "/introspect":
            begun.set()
            await go.wait()
        return Net(server)(request)

    server.instead["/introspect"] = lambda _: page({}, 500)
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(slow))
    verifier = AsyncAccessTokenVerifier(ISSUER, audience=API, introspection=ASKING, http_client=http, clock=Clock())
    failures: list[InvalidResponse] = []

    async def ask() -> None:
        with pytest.raises(InvalidResponse) as caught:
            await verifier.verify(OPAQUE)
        failures.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await begun.wait()
        for _ in range(7):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert len(failures) == 8
    assert server.asked == [OPAQUE]


def test_a_server_that_hangs_is_left_at_the_deadline() -> None:
    server = Server()
    server.tokens[OPAQUE] = ACTIVE
    released = threading.Event()

    def hangs(request: httpx2.Request) -> Any:
        if request.url.path == "/introspect":
            released.wait(60)
        return Net(server)(request)

    http = httpx2.Client(transport=httpx2.MockTransport(hangs))
    policy = ExchangePolicy(deadline=0.2)
    verifier = AccessTokenVerifier(ISSUER, audience=API, introspection=ASKING, http_client=http, exchange=policy)
    with pytest.raises(TransportError, match="deadline"):
        verifier.verify(OPAQUE)
    released.set()


@pytest.mark.anyio
@both_backends
async def test_a_server_that_hangs_is_left_at_the_deadline_by_tasks_too() -> None:
    server, never = Server(), anyio.Event()
    server.tokens[OPAQUE] = ACTIVE

    async def hangs(request: httpx2.Request) -> Any:
        if request.url.path == "/introspect":
            await never.wait()
        return Net(server)(request)

    policy = ExchangePolicy(deadline=0.2)
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(hangs)) as http:
        verifier = AsyncAccessTokenVerifier(
            ISSUER, audience=API, introspection=ASKING, http_client=http, exchange=policy
        )
        with anyio.fail_after(60), pytest.raises(TransportError, match="deadline"):
            await verifier.verify(OPAQUE)
