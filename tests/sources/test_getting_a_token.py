"""A source asks for a token by its credentials, on every client there is, and keeps it while it is fresh."""

import base64
import re
from typing import Any

import pytest

from doorkey import ClientCredentials, JWTBearer, RefreshToken, ResourceOwnerCredentials, TokenExchange, TokenSource
from doorkey.errors import (
    InvalidClient,
    InvalidResponse,
    TransportError,
    UsageError,
    VerificationError,
)
from doorkey.sources.core import SourceCore
from tests.support.every_source import ONE_OF_EACH, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply, token
from tests.support.source_requests import CLIENT, ONCE, REFRESH, REPEATABLE, forms, on_token, reset

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)

DISCOVERY = "/.well-known/openid-configuration"


def metadata(hostile: Hostile, issuer: str = "", **more: Any) -> dict[str, Any]:
    return {"issuer": issuer or hostile.url(""), "token_endpoint": hostile.token_endpoint, **more}


def test_a_token_is_asked_for_once_and_used_until_its_margin(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("at-1"), token("at-2")))
    assert [asking.access_token() for _ in range(3)] == ["at-1"] * 3
    clock.advance(239)
    assert asking.access_token() == "at-1"
    clock.advance(1)
    assert asking.access_token() == "at-2"
    assert forms(hostile) == [{"grant_type": "client_credentials", "scope": "scope-1"}] * 2
    basic = hostile.token_requests[0].header("authorization") or ""
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"client-1:my-secret"


@one_of_each
@pytest.mark.parametrize("name", [*REPEATABLE, *ONCE])
def test_each_kind_of_credentials_brings_a_token(source: Maker, hostile: Hostile, name: str) -> None:
    credentials = (REPEATABLE | ONCE)[name]()
    asking = source(credentials, **on_token(hostile, token("at-1")))
    assert asking.access_token() == "at-1"
    sent = dict(credentials.grant().parameters()) | dict(credentials.parameters())
    assert {name: form for name, form in forms(hostile)[0].items() if name != "client_id"} == sent


@one_of_each
def test_audiences_and_resources_are_sent_each_by_itself(source: Maker, hostile: Hostile) -> None:
    exchange = TokenExchange("c", subject_token="st", audience=("x", "y"), resource=("https://r", "https://s"))
    source(exchange, **on_token(hostile, token())).token()
    body = hostile.token_requests[0].body.decode()
    assert re.findall(r"(?:audience|resource)=[^&]*", body) == [
        "audience=x",
        "audience=y",
        "resource=https%3A%2F%2Fr",
        "resource=https%3A%2F%2Fs",
    ]


@one_of_each
def test_a_fresh_assertion_is_made_each_time(source: Maker, hostile: Hostile, clock: Clock) -> None:
    made: list[str] = []

    def assertion() -> str:
        made.append(f"jwt-{len(made) + 1}")
        return made[-1]

    asking = source(JWTBearer("c", assertion=assertion), clock=clock, **on_token(hostile, token("a"), token("b")))
    assert asking.access_token() == "a"
    clock.advance(300)
    assert asking.access_token() == "b"
    assert [form["assertion"] for form in forms(hostile)] == ["jwt-1", "jwt-2"]


@one_of_each
@pytest.mark.parametrize("value", [None, ""])
def test_a_token_to_exchange_that_is_not_there_is_a_usage_error_and_no_request(
    source: Maker, hostile: Hostile, value: Any
) -> None:
    asking = source(TokenExchange("c", subject_token=lambda: value), **on_token(hostile, token()))
    for _ in range(2):
        with pytest.raises(UsageError, match="there is no subject_token"):
            asking.token()
    assert hostile.token_requests == []


@one_of_each
def test_a_token_to_exchange_that_comes_later_is_exchanged_at_once(source: Maker, hostile: Hostile) -> None:
    tokens = iter([None, "st-1"])
    asking = source(TokenExchange("c", subject_token=lambda: next(tokens)), **on_token(hostile, token("at-1")))
    with pytest.raises(UsageError):
        asking.token()
    assert asking.access_token() == "at-1"


# -- refreshing --------------------------------------------------------------------------------------------------------


@one_of_each
def test_a_refresh_token_is_used_before_the_grant_and_keeps_what_was_granted(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    answers = (token("a", refresh_token="rt-1", scope="scope-1 more"), token("b", refresh_token="rt-2"), token("c"))
    asking = source(CLIENT, clock=clock, **on_token(hostile, *answers))
    asking.token()
    for expected, used in (("b", "rt-1"), ("c", "rt-2")):
        clock.advance(300)
        renewed = asking.token()
        assert renewed.access_token.reveal() == expected
        assert str(renewed.scope) == "scope-1 more"
        assert forms(hostile)[-1] == {"grant_type": "refresh_token", "refresh_token": used, "scope": "scope-1"}
    assert asking.token().refresh_token is not None


@one_of_each
def test_a_refresh_token_given_from_outside_rotates(source: Maker, hostile: Hostile, clock: Clock) -> None:
    answers = (token("a", refresh_token="rt-2"), token("b"), token("c", refresh_token="rt-3"), token("d"))
    asking = source(REFRESH, clock=clock, **on_token(hostile, *answers))
    for _ in range(4):
        asking.token()
        clock.advance(300)
    assert [form["refresh_token"] for form in forms(hostile)] == ["rt-1", "rt-2", "rt-2", "rt-3"]


@one_of_each
def test_an_assertion_given_as_text_is_sent_once(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(ONCE["assertion"](), clock=clock, **on_token(hostile, token("a")))
    asking.token()
    clock.advance(299)
    assert asking.access_token() == "a"  # it cannot be renewed, and so it is used to its end
    clock.advance(1)
    with pytest.raises(UsageError, match="expired"):
        asking.token()
    assert len(hostile.token_requests) == 1


# -- whom to ask, and how ----------------------------------------------------------------------------------------------


def test_the_issuer_is_discovered_once(source: Maker, hostile: Hostile, clock: Clock) -> None:
    hostile.on(DISCOVERY, reply(json=metadata(hostile)))
    on_token(hostile, token("a"), token("b"))
    asking = source(CLIENT, issuer=hostile.url(""), clock=clock)
    asking.token()
    clock.advance(300)
    assert asking.access_token() == "b"
    assert len(hostile.to(DISCOVERY)) == 1


@one_of_each
def test_discovery_that_failed_is_tried_again(source: Maker, hostile: Hostile, clock: Clock) -> None:
    hostile.on(DISCOVERY, reply(502, "<html>"), reply(json=metadata(hostile)))
    on_token(hostile, token("a"))
    asking = source(CLIENT, issuer=hostile.url(""), clock=clock)
    with pytest.raises(InvalidResponse):
        asking.token()
    clock.advance(1)
    assert asking.access_token() == "a"


@one_of_each
def test_metadata_of_another_issuer_is_refused_and_nothing_is_asked_there(source: Maker, hostile: Hostile) -> None:
    hostile.on(DISCOVERY, reply(json=metadata(hostile, "https://other.example")))
    with pytest.raises(VerificationError, match="issuer"):
        source(CLIENT, issuer=hostile.url("")).token()
    assert hostile.token_requests == []


@one_of_each
def test_an_issuer_without_a_token_endpoint_is_a_usage_error(source: Maker, hostile: Hostile) -> None:
    hostile.on(DISCOVERY, reply(json={"issuer": hostile.url(""), "jwks_uri": hostile.url("/jwks")}))
    with pytest.raises(UsageError, match="token_endpoint"):
        source(CLIENT, issuer=hostile.url("")).token()


@one_of_each
def test_given_metadata_needs_no_discovery(source: Maker, hostile: Hostile) -> None:
    on_token(hostile, token("a"))
    assert source(CLIENT, metadata=metadata(hostile)).access_token() == "a"
    assert hostile.to(DISCOVERY) == []


@pytest.mark.parametrize(
    ("preferred", "listed", "chosen"),
    [
        ((), None, "basic"),
        ((), ["client_secret_basic", "client_secret_post"], "basic"),
        ((), ["client_secret_post"], "post"),
        ((), ["private_key_jwt"], "basic"),  # the server decides what it makes of that
        (("client_secret_post", "client_secret_basic"), None, "post"),
        (("client_secret_post", "client_secret_basic"), ["client_secret_basic"], "basic"),
        (("client_secret_post",), ["client_secret_basic"], "post"),
        (("client_secret_jwt", "client_secret_post"), ["client_secret_post"], "post"),
    ],
)
def test_the_first_preferred_method_is_used_that_the_server_lists(
    hostile: Hostile, preferred: tuple[str, ...], listed: list[str] | None, chosen: str
) -> None:
    on_token(hostile, token())
    known = metadata(hostile) | ({"token_endpoint_auth_methods_supported": listed} if listed else {})
    with TokenSource(ClientCredentials("c", "s", auth_methods=preferred), metadata=known) as asking:
        asking.token()
    (request,) = hostile.token_requests
    assert ("basic" if request.header("authorization") else "post") == chosen
    assert ("client_secret" in request.form) is (chosen == "post")


def test_a_client_without_a_secret_only_says_its_name(hostile: Hostile) -> None:
    with TokenSource(ClientCredentials("c"), **on_token(hostile, token())) as asking:
        asking.token()
    (request,) = hostile.token_requests
    assert request.header("authorization") is None
    assert request.form == {"grant_type": "client_credentials", "client_id": "c"}


def test_a_method_may_be_a_callable(hostile: Hostile) -> None:
    def mine(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        return uri, {**headers, "X-Client": client.client_id}, body

    with TokenSource(ClientCredentials("c", "s", auth_methods=(mine,)), **on_token(hostile, token())) as asking:
        asking.token()
    assert hostile.token_requests[0].header("x-client") == "c"


PEM = "-----BEGIN PRIVATE KEY-----\nnot a key\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("url", ["http://as.example/token", "no url", "https://as.example/#f"])
@one_of_each
def test_a_url_that_a_callable_method_returns_is_an_endpoint_like_any_other(
    source: Maker, hostile: Hostile, url: str
) -> None:
    def elsewhere(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
        return url, headers, body

    asking = source(ClientCredentials("c", "s", auth_methods=(elsewhere,)), **on_token(hostile, token()))
    with pytest.raises(UsageError, match="URL that a client authentication method returns"):
        asking.token()
    assert hostile.received == []


@one_of_each
def test_a_password_grant_with_openid_needs_no_id_token(source: Maker, hostile: Hostile, clock: Clock) -> None:
    person = ResourceOwnerCredentials("c", scopes=("openid",)).with_username_password("alice", "wonderland")
    assert source(person, clock=clock, **on_token(hostile, token())).access_token() == "at-1"


@pytest.mark.parametrize("key", [PEM, PEM.encode(), '{"kty": "RSA", "n": "x", "d": "y"}', {"kty": "RSA", "d": "y"}])
def test_a_private_key_is_never_sent_as_if_it_were_a_secret(hostile: Hostile, key: Any) -> None:
    with TokenSource(ClientCredentials("c", key), **on_token(hostile, token())) as asking, pytest.raises(UsageError):
        asking.token()
    assert hostile.token_requests == []


@pytest.mark.parametrize(
    ("credentials", "how", "says"),
    [
        (CLIENT, {}, "the authorization server is missing"),
        ("a string", {"token_endpoint": "https://as.example/token"}, "takes credentials"),
        (CLIENT, {"token_endpoint": "http://as.example/token"}, "https"),
        (CLIENT, {"issuer": "http://as.example"}, "https"),
        (CLIENT, {"token_endpoint": "https://as.example/token", "leeway": -1}, "leeway"),
        (CLIENT, {"token_endpoint": "https://as.example/token", "leeway": float("nan")}, "leeway"),
        (CLIENT, {"token_endpoint": "https://as.example/token", "leeway": "60"}, "leeway"),
        (CLIENT, {"token_endpoint": "https://as.example/token", "clock": 7}, "clock"),
        (CLIENT, {"token_endpoint": "https://as.example/token", "random": 0.5}, "random"),
    ],
)
@one_of_each
def test_impossible_options_are_a_usage_error_at_construction(
    source: Maker, credentials: Any, how: Any, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        source(credentials, **how)


@one_of_each
def test_an_unknown_method_is_a_usage_error_that_names_the_known_ones(source: Maker, hostile: Hostile) -> None:
    asking = source(ClientCredentials("c", "s", auth_methods=("basic",)), **on_token(hostile, token()))
    with pytest.raises(UsageError, match="client_secret_basic"):
        asking.token()


def test_a_client_of_the_other_world_is_a_usage_error(source: Maker, hostile: Hostile) -> None:
    import httpx2

    from tests.support.every_source import TLS

    wrong: Any = (httpx2.Client if source.kind.backend else httpx2.AsyncClient)(verify=TLS)
    asking = source(CLIENT, http_client=wrong, **on_token(hostile, token()))
    with pytest.raises(UsageError, match="this needs a"):
        asking.token()


def test_errors_of_every_client_are_ours(source: Maker, hostile: Hostile) -> None:
    for answer, error in (
        (reply(401, json={"error": "invalid_client"}), InvalidClient),
        (reply(307, headers={"Location": "https://evil.example/"}), InvalidResponse),
        (reset, TransportError),
    ):
        asking = source(CLIENT, **on_token(hostile, answer))
        with pytest.raises(error):
            asking.token()


@one_of_each
def test_a_source_that_was_closed_makes_itself_another_client(source: Maker, hostile: Hostile, clock: Clock) -> None:
    asking = source(CLIENT, clock=clock, **on_token(hostile, token("a"), token("b")))
    asking.token()
    asking.call(asking.native.close if source.kind.backend is None else asking.native.aclose)
    clock.advance(300)
    assert asking.access_token() == "b"


def test_a_client_that_was_given_stays_open(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, token("a")))
    asking.token()
    asking.call(asking.native.close if source.kind.backend is None else asking.native.aclose)
    assert getattr(asking.client, "is_closed", False) is False


@one_of_each
def test_no_secret_is_in_the_representation_of_a_source(source: Maker, hostile: Hostile) -> None:
    asking = source(CLIENT, **on_token(hostile, token("at-secret")))
    asking.token()
    assert "my-secret" not in repr(asking.native)
    assert "at-secret" not in repr(asking.native)


def test_a_core_is_named_after_the_issuer_of_its_metadata(hostile: Hostile, clock: Clock) -> None:
    hostile.on(DISCOVERY, reply(json=metadata(hostile)))
    with TokenSource._on(SourceCore(CLIENT, metadata={"issuer": hostile.url("")})) as asking:
        on_token(hostile, token("a"))
        assert asking.token().access_token.reveal() == "a"


def test_a_refresh_token_credential_is_not_in_the_token_requests_url(hostile: Hostile) -> None:
    with TokenSource(RefreshToken("c", refresh_token="rt-9"), **on_token(hostile, token())) as asking:
        asking.token()
    assert hostile.token_requests[0].target == "/token"
