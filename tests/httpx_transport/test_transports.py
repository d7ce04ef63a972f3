"""Transports that negotiate a token: its cache, concurrent requests, the renewal on 401, and redirects."""

import gc
import threading
from typing import Any

import pytest

from doorkey.credentials import ClientCredentials, ResourceOwnerCredentials
from doorkey.errors import InvalidClient, UsageError
from doorkey.integrations.httpx_transport import OAuthAuthorityClient, OAuthAuthorityError, OAuthToken, Scopes
from doorkey.protocol.grants import TOKEN_EXCHANGE
from doorkey.values import Secret
from tests.support.every_adapter import in_background, together
from tests.support.every_source import Counting
from tests.support.every_transport import World
from tests.support.fake_clock import Clock
from tests.support.hostile_server import WAIT, Exchange, Held, Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, GARBAGE, REFUSED

OWNER = ResourceOwnerCredentials("client-3", "my-secret")
NO = reply(401, "refused")
WELL_KNOWN = "/.well-known/openid-configuration"


def sent(hostile: Hostile, path: str = "/api") -> list[str | None]:
    return [request.header("authorization") for request in hostile.to(path)]


def forms(hostile: Hostile) -> list[dict[str, str]]:
    return [request.form for request in hostile.token_requests]


def authenticating(world: World, hostile: Hostile, *answers: Any, **how: Any) -> Any:
    """A client whose transport carries the token of `CLIENT`."""
    authority = world.authority(hostile, *(answers or (token("at-1"), token("at-2"))), **how)
    return world.api(hostile, world.factory(authority).authenticating_transport(world.transport(), CLIENT))


# -- the cache ---------------------------------------------------------------------------------------------------------


def test_a_token_is_got_once_for_all_transports_of_an_authority(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at-1"), token("at-2"))
    factory = world.factory(authority)
    for _ in range(2):
        client = world.api(hostile, factory.authenticating_transport(None, CLIENT))
        assert world.get(client).status_code == 200
    assert world.token(authority, ClientCredentials("client-1", "my-secret", ("scope-1",))).access_token == Secret(
        "at-1"
    )
    assert sent(hostile) == ["Bearer at-1"] * 2
    assert len(hostile.token_requests) == 1


def test_credentials_that_differ_have_tokens_that_differ(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at-1"), token("at-2"))
    first, second = (world.token(authority, ClientCredentials("c", "s", (scope,))) for scope in ("a", "b"))
    assert first.access_token != second.access_token
    assert [form["scope"] for form in forms(hostile)] == ["a", "b"]


def test_a_cached_token_is_renewed_before_it_expires(world: World, hostile: Hostile, clock: Clock) -> None:
    client = authenticating(world, hostile, clock=clock, leeway=60)
    world.get(client)
    clock.advance(239)
    world.get(client)
    clock.advance(1)
    world.get(client)
    assert sent(hostile) == ["Bearer at-1", "Bearer at-1", "Bearer at-2"]


def test_the_cache_is_bounded(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at"), max_tokens=2)
    for user in ("a", "b", "a", "c", "a", "b"):
        world.token(authority, OWNER.with_username_password(user, "p"))
        gc.collect()  # what was dropped is found again for as long as it lives
    assert [form["username"] for form in forms(hostile)] == ["a", "b", "c", "b"]


def test_the_server_is_discovered_once_for_all_tokens(world: World, hostile: Hostile) -> None:
    known = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint, "grant_types_supported": ["password"]}
    hostile.on(WELL_KNOWN, reply(json=known))
    authority = world.authority(hostile, token("at"), openid_config=None)
    for user in ("a", "b", "c"):
        world.token(authority, OWNER.with_username_password(user, "p"))
    assert world.run(authority.supports_grant, "password") is True
    assert len(hostile.to(WELL_KNOWN)) == 1


@pytest.mark.parametrize(
    ("listed", "grant", "supported"),
    [
        (["client_credentials", TOKEN_EXCHANGE], TOKEN_EXCHANGE, True),
        (["client_credentials"], TOKEN_EXCHANGE, False),
        (None, "authorization_code", True),  # what a server offers that does not say (RFC 8414 §2)
        (None, "client_credentials", False),
    ],
)
def test_what_grants_the_server_supports(
    world: World, hostile: Hostile, listed: Any, grant: str, supported: bool
) -> None:
    known = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    hostile.on(WELL_KNOWN, reply(json=known | ({"grant_types_supported": listed} if listed else {})))
    authority = world.authority(hostile, token("at"), openid_config=None)
    assert world.run(authority.supports_grant, grant) is supported


def test_metadata_of_another_issuer_is_refused(world: World, hostile: Hostile) -> None:
    known = {"issuer": "https://other.example", "token_endpoint": hostile.token_endpoint}
    hostile.on(WELL_KNOWN, reply(json=known))
    with pytest.raises(OAuthAuthorityError, match="issuer"):
        world.token(world.authority(hostile, token("at"), openid_config=None), CLIENT)
    assert hostile.token_requests == []


def test_an_authority_needs_an_issuer(world: World) -> None:
    with pytest.raises(UsageError, match="base_url"):
        OAuthAuthorityClient(world.client())


def test_what_are_no_credentials_is_a_usage_error(world: World, hostile: Hostile) -> None:
    with pytest.raises(UsageError, match="credentials must be a Credentials object"):
        world.token(world.authority(hostile, token("at")), ("client-1", "my-secret"))


def test_a_client_for_the_other_kind_of_caller_is_a_usage_error(world: World, hostile: Hostile) -> None:
    import httpx2

    from tests.support.every_source import TLS

    authority = world.authority(hostile, token("at"))
    authority.http = (httpx2.Client if world.is_async else httpx2.AsyncClient)(verify=TLS)
    with pytest.raises(UsageError, match="this needs a"):
        world.token(authority, CLIENT)


def test_no_secret_is_in_a_representation(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at-secret"))
    assert "my-secret" not in repr(authority)
    assert "at-secret" not in repr(world.token(authority, CLIENT))
    assert isinstance(world.token(authority, CLIENT), OAuthToken)
    assert Scopes == tuple[str, ...]


# -- one negotiation ---------------------------------------------------------------------------------------------------


def test_any_number_of_callers_share_one_negotiation(world: World, hostile: Hostile, counting: Counting) -> None:
    held = Held(token("at-1"))
    client = authenticating(world, hostile, held, token("never"), clock=counting)
    counting.expect(32 + 1)
    with in_background(lambda: together(32, lambda: world.get(client).status_code)) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert outcome() == [200] * 32
    assert len(hostile.token_requests) == 1
    assert sent(hostile) == ["Bearer at-1"] * 32


def test_an_error_is_raised_for_all_waiting_callers_and_for_no_later_caller(
    world: World, hostile: Hostile, counting: Counting
) -> None:
    held = Held(reply(401, json={"error": "invalid_client"}))
    client = authenticating(world, hostile, held, token("at-1"), clock=counting)
    counting.expect(16 + 1)
    with in_background(lambda: together(16, lambda: world.get(client))) as outcome:
        held.wait_for_arrival()
        counting.wait()
        held.release.set()
        assert {type(error) for error in outcome()} == {InvalidClient}
    assert hostile.to("/api") == []
    counting.advance(1)  # the pause after a refusal is over
    assert world.get(client).status_code == 200


def test_no_request_waits_for_another(world: World, hostile: Hostile) -> None:
    all_sent = threading.Barrier(5)

    def answer(exchange: Exchange) -> None:
        all_sent.wait(WAIT)
        exchange.send(reply(204))

    hostile.on("/api", answer)
    client = authenticating(world, hostile)
    assert together(5, lambda: world.get(client).status_code) == [204] * 5


# -- on 401 ------------------------------------------------------------------------------------------------------------


def test_an_api_that_always_refuses_costs_one_renewal(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile, *[token(f"at-{one}") for one in range(1, 10)])
    hostile.on("/api", *[NO] * 11, reply(503), NO, echo)
    assert [world.get(client).status_code for _ in range(12)] == [401] * 10 + [503, 200]
    assert sent(hostile) == ["Bearer at-1"] + ["Bearer at-2"] * 12 + ["Bearer at-3"]


def test_a_redirect_within_the_origin_causes_one_renewal(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile, *[token(f"at-{one}") for one in range(1, 10)])
    hostile.on("/api", reply(307, headers={"Location": "/there"}))
    hostile.on("/there", NO)
    assert [world.get(client, follow_redirects=True).status_code for _ in range(5)] == [401] * 5
    assert len(hostile.token_requests) == 2


@pytest.mark.parametrize("body", [{}, {"content": b"bytes"}, {"data": {"a": "1"}}, {"json": [1]}])
def test_a_refused_token_is_asked_for_again_and_the_request_sent_again(
    world: World, hostile: Hostile, body: dict[str, Any]
) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", NO, echo)
    assert world.get(client, method="POST", **body).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2"]
    first, second = hostile.to("/api")
    assert first.body == second.body
    assert [pair for pair in first.headers if pair[0].lower() != "authorization"] == [
        pair for pair in second.headers if pair[0].lower() != "authorization"
    ]


def test_a_refused_token_is_refreshed_where_it_can_be(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile, token("at-1", refresh_token="rt-1"), token("at-2"))
    hostile.on("/api", NO, echo)
    assert world.get(client).status_code == 200
    assert [form["grant_type"] for form in forms(hostile)] == ["client_credentials", "refresh_token"]


def test_where_the_refresh_token_is_dead_the_grant_is_repeated(world: World, hostile: Hostile) -> None:
    """The server refuses the refresh token, as it does after the end of the session that issued it."""
    client = authenticating(world, hostile, token("at-1", refresh_token="rt-1"), REFUSED, token("at-2"))
    hostile.on("/api", NO, echo)
    assert world.get(client).status_code == 200
    grants = [form["grant_type"] for form in forms(hostile)]
    assert grants == ["client_credentials", "refresh_token", "client_credentials"]
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2"]


def test_a_second_refusal_is_returned(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", NO, reply(401, "again"))
    assert world.get(client).text == "again"
    assert len(hostile.to("/api")) == 2


def test_a_streamed_upload_is_never_sent_again(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", NO, echo)
    assert world.get(client, method="POST", content=world.chunks(b"a", b"b")).status_code == 401
    assert len(hostile.to("/api")) == 1


def test_without_another_token_the_caller_gets_the_error_and_the_client_keeps_working(
    world: World, hostile: Hostile
) -> None:
    client = authenticating(world, hostile, token("at-1"), GARBAGE)
    hostile.on("/api", NO)
    with pytest.raises(OAuthAuthorityError):
        world.get(client)
    assert len(hostile.to("/api")) == 1


def test_an_authorization_header_that_is_there_already_is_kept(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", NO)
    assert world.get(client, headers={"Authorization": "Mine 1"}).status_code == 401
    assert sent(hostile) == ["Mine 1"]
    assert hostile.token_requests == []


# -- redirects ---------------------------------------------------------------------------------------------------------


def to(url: str) -> bytes:
    return reply(307, headers={"Location": url})


def test_a_redirect_to_another_origin_carries_no_token(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    hostile.on("/elsewhere", NO)
    assert world.get(client, follow_redirects=True).status_code == 401
    assert sent(hostile) == ["Bearer at-1"]
    assert sent(hostile, "/elsewhere") == [None]
    assert len(hostile.token_requests) == 1


def test_a_detour_by_another_origin_brings_no_token_back(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    hostile.on("/elsewhere", to(hostile.url("/back")))
    assert world.get(client, follow_redirects=True).status_code == 200
    assert sent(hostile, "/back") == [None]


def test_a_challenge_after_a_detour_by_another_origin_renews_nothing(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", to(hostile.url("/elsewhere", host="localhost")))
    hostile.on("/elsewhere", to(hostile.url("/chosen")))
    hostile.on("/chosen", NO)
    assert world.get(client, follow_redirects=True).status_code == 401
    assert sent(hostile, "/chosen") == [None]
    assert len(hostile.token_requests) == 1


def test_a_redirect_within_the_origin_carries_the_token_and_is_renewed(world: World, hostile: Hostile) -> None:
    client = authenticating(world, hostile)
    hostile.on("/api", to(hostile.url("/moved")))
    hostile.on("/moved", NO, echo)
    assert world.get(client, follow_redirects=True).status_code == 200
    assert sent(hostile, "/moved") == ["Bearer at-1", "Bearer at-2"]


class Answering:
    """Stands for a server of any scheme, host and port, which nothing here reaches: what a transport is given."""

    def __init__(self, library: Any, *answers: Any) -> None:
        self.library, self.answers = library, list(answers)
        self.requests: list[Any] = []

    def handle_request(self, request: Any) -> Any:
        self.requests.append((str(request.url), request.headers.get("Authorization")))
        status, headers = self.answers.pop(0)
        return self.library.Response(status, headers=headers)

    async def handle_async_request(self, request: Any) -> Any:
        return self.handle_request(request)

    def __enter__(self) -> None:
        self.requests.append("entered")

    def __exit__(self, *_: object) -> None:
        self.requests.append("left")

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def close(self) -> None:
        self.requests.append("closed")

    async def aclose(self) -> None:
        self.close()


@pytest.mark.parametrize("how", ["authenticating", "resource_owner"])
def test_a_redirect_from_http_to_https_carries_neither_the_token_nor_the_password(
    world: World, hostile: Hostile, how: str
) -> None:
    """httpx copies the header to https on the same host: it must find none on its own request."""
    inner = Answering(world.library, (302, {"Location": "https://api.example/"}), (200, {}))
    factory = world.factory(world.authority(hostile, token("at-1")))
    credentials = CLIENT if how == "authenticating" else OWNER
    client = world.client(transport=getattr(factory, f"{how}_transport")(inner, credentials))
    auth = None if how == "authenticating" else ("user", "pwd")
    assert world.get(client, "http://api.example/", auth=auth, follow_redirects=True).status_code == 200
    assert inner.requests == [("http://api.example/", "Bearer at-1"), ("https://api.example/", None)]


# -- closing -----------------------------------------------------------------------------------------------------------


def test_closing_the_client_closes_the_transport_that_is_wrapped(world: World, hostile: Hostile) -> None:
    inner = Answering(world.library)
    factory = world.factory(world.authority(hostile, token("at-1")))
    client = world.api(hostile, factory.authenticating_transport(inner, CLIENT))
    world.run(client.aclose if world.is_async else client.close)
    assert inner.requests == ["closed"]


def test_a_client_as_a_context_enters_and_leaves_the_transport_that_is_wrapped(world: World, hostile: Hostile) -> None:
    inner = Answering(world.library, (200, {}))
    factory = world.factory(world.authority(hostile, token("at-1")))
    client = world.api(hostile, factory.authenticating_transport(inner, CLIENT))

    async def entered() -> None:
        async with client:
            await client.get("/api")

    if world.is_async:
        world.run(entered)
    else:
        with client:
            client.get("/api")
    assert inner.requests == ["entered", (hostile.url(), "Bearer at-1"), "left"]


def test_an_authority_whose_client_was_closed_says_so(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, token("at-1"))
    client = world.api(hostile, world.factory(authority).authenticating_transport(None, CLIENT))
    world.run(authority.http.aclose if world.is_async else authority.http.close)
    with pytest.raises(UsageError, match="closed"):
        world.get(client)
