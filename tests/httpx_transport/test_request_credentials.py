"""The token that a request carries: that of the account it names, or one exchanged for its caller's token."""

import base64
from dataclasses import fields, replace
from typing import Any

import pytest

from doorkey.credentials import ClientCredentials, Credentials, ResourceOwnerCredentials, TokenExchange
from doorkey.dev import Provider
from doorkey.errors import InvalidGrant, UsageError
from doorkey.integrations.httpx_transport.request_credentials import exchange_of
from doorkey.protocol.grants import TOKEN_EXCHANGE
from doorkey.values import Secret
from tests.support.every_adapter import in_background, together
from tests.support.every_transport import World
from tests.support.hostile_server import Held, Hostile, echo, reply, token
from tests.support.source_requests import CLIENT, EVERY_VALUE, REFUSED

OWNER = ResourceOwnerCredentials("client-3", "my-secret")
NO = reply(401, "refused")


def sent(hostile: Hostile, path: str = "/api") -> list[str | None]:
    return [request.header("authorization") for request in hostile.to(path)]


def forms(hostile: Hostile) -> list[dict[str, str]]:
    return [request.form for request in hostile.token_requests]


def to(url: str) -> bytes:
    return reply(307, headers={"Location": url})


# -- accounts that requests name ---------------------------------------------------------------------------------------


def owning(world: World, hostile: Hostile, *answers: Any, **options: Any) -> Any:
    authority = world.authority(hostile, *(answers or (token("at-1"), token("at-2"))))
    transport = world.factory(authority).resource_owner_transport(world.transport(), OWNER)
    return world.api(hostile, transport, **options)


def test_the_account_comes_from_the_requests_basic_credentials(world: World, hostile: Hostile) -> None:
    client = owning(world, hostile)
    for auth in (("user", "pwd"), ("user", "pwd"), ("üser", "p:w:d €")):
        assert world.get(client, auth=auth).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-1", "Bearer at-2"]
    assert [(form["username"], form["password"]) for form in forms(hostile)] == [("user", "pwd"), ("üser", "p:w:d €")]


def test_the_account_may_be_the_clients_own(world: World, hostile: Hostile) -> None:
    assert world.get(owning(world, hostile, auth=("user", "pwd"))).status_code == 200
    assert sent(hostile) == ["Bearer at-1"]


def test_within_the_origin_a_redirect_is_of_the_same_account(world: World, hostile: Hostile) -> None:
    client = owning(world, hostile)
    hostile.on("/api", to(hostile.url("/moved")))
    assert world.get(client, auth=("user", "pwd"), follow_redirects=True).status_code == 200
    assert sent(hostile, "/moved") == ["Bearer at-1"]


def test_a_refused_token_of_an_account_is_renewed(world: World, hostile: Hostile) -> None:
    client = owning(world, hostile)
    hostile.on("/api", NO, echo)
    assert world.get(client, auth=("user", "pwd")).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2"]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ???",
        "Bearer abc",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b":no name").decode(),
        "Basic " + base64.b64encode(b"no password:").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
    ],
)
def test_a_request_that_names_no_account_is_a_usage_error(world: World, hostile: Hostile, header: str | None) -> None:
    client = owning(world, hostile)
    with pytest.raises(UsageError):
        world.get(client, headers={} if header is None else {"Authorization": header})
    assert hostile.to("/api") == []
    assert hostile.token_requests == []


def test_a_wrong_password_is_the_servers_word(world: World, hostile: Hostile) -> None:
    with pytest.raises(InvalidGrant):
        world.get(owning(world, hostile, REFUSED), auth=("user", "wrong"))
    assert hostile.to("/api") == []


# -- token exchange ----------------------------------------------------------------------------------------------------


def exchanging(world: World, hostile: Hostile, provider: Any, *answers: Any, **how: Any) -> Any:
    authority = world.authority(hostile, *(answers or (token("at-1"), token("at-2"), token("at-3"))))
    credentials = how.pop("credentials", CLIENT)
    transport = world.factory(authority).token_exchange_transport(world.transport(), credentials, provider, **how)
    return world.api(hostile, transport)


def test_each_callers_token_is_exchanged_once(world: World, hostile: Hostile) -> None:
    callers = iter(["st-a", "st-b", "st-a", "st-b"])
    client = exchanging(world, hostile, world.function(lambda: next(callers)))
    for _ in range(4):
        assert world.get(client).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2", "Bearer at-1", "Bearer at-2"]
    assert [form["subject_token"] for form in forms(hostile)] == ["st-a", "st-b"]
    assert {form["grant_type"] for form in forms(hostile)} == {TOKEN_EXCHANGE}
    assert {form["scope"] for form in forms(hostile)} == {"scope-1"}


def test_the_exchange_has_every_value_of_the_credentials() -> None:
    assert set(EVERY_VALUE) == {one.name for one in fields(Credentials)}
    credentials = ClientCredentials(**EVERY_VALUE)
    exchange = exchange_of(credentials, "st-a", optional=False)
    assert isinstance(exchange, TokenExchange)
    assert [name for name in EVERY_VALUE if getattr(exchange, name) != getattr(credentials, name)] == []
    assert exchange.subject_token == Secret("st-a")


def test_the_exchange_accepts_the_token_types_of_the_credentials(world: World, hostile: Hostile) -> None:
    credentials = replace(CLIENT, token_types={"user": "Bearer"})
    client = exchanging(world, hostile, lambda: "st-a", token("at-1", token_type="user"), credentials=credentials)
    assert world.get(client).status_code == 200
    assert sent(hostile) == ["Bearer at-1"]


def test_a_plain_function_serves_both_worlds(world: World, hostile: Hostile) -> None:
    assert world.get(exchanging(world, hostile, lambda: "st-a")).status_code == 200
    assert sent(hostile) == ["Bearer at-1"]


def test_an_exchanged_token_that_is_refused_is_exchanged_again(world: World, hostile: Hostile) -> None:
    client = exchanging(world, hostile, lambda: "st-a")
    hostile.on("/api", NO, echo)
    assert world.get(client).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2"]
    assert [form["subject_token"] for form in forms(hostile)] == ["st-a", "st-a"]


def test_a_subject_token_may_be_a_secret(world: World, hostile: Hostile) -> None:
    assert world.get(exchanging(world, hostile, lambda: Secret("st-a"))).status_code == 200
    assert forms(hostile)[0]["subject_token"] == "st-a"


def test_an_exchange_says_more_where_its_credentials_do(world: World, hostile: Hostile) -> None:
    more = TokenExchange("c", "s", audience=("api",), subject_token="", requested_token_type="urn:x")
    assert world.get(exchanging(world, hostile, lambda: "st-a", credentials=more)).status_code == 200
    (form,) = forms(hostile)
    assert (form["audience"], form["requested_token_type"], form["subject_token"]) == ("api", "urn:x", "st-a")


@pytest.mark.parametrize("nothing", [None, "", Secret("")])
def test_without_a_subject_token_there_is_a_usage_error_and_no_request(
    world: World, hostile: Hostile, nothing: Any
) -> None:
    client = exchanging(world, hostile, world.function(lambda: nothing))
    with pytest.raises(UsageError, match="nothing to exchange"):
        world.get(client)
    assert hostile.received == []


@pytest.mark.parametrize("nothing", [None, "", Secret("")])
def test_without_a_subject_token_an_optional_exchange_sends_the_clients_own(
    world: World, hostile: Hostile, nothing: Any
) -> None:
    tokens = iter([nothing, "st-a", nothing])
    client = exchanging(world, hostile, world.function(lambda: next(tokens)), optional_exchange=True)
    for _ in range(3):
        assert world.get(client).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2", "Bearer at-1"]
    assert [form["grant_type"] for form in forms(hostile)] == ["client_credentials", TOKEN_EXCHANGE]


@pytest.mark.parametrize("wrong", [7, b"bytes", {"access_token": "a"}, ["st"], True, "two words", "€"])
def test_a_value_that_is_not_a_subject_token_is_a_usage_error_optional_or_not(
    world: World, hostile: Hostile, wrong: Any
) -> None:
    for optional in (False, True):
        client = exchanging(world, hostile, world.function(lambda: wrong), optional_exchange=optional)
        with pytest.raises(UsageError, match=r"subject[ _]token"):
            world.get(client)
    assert hostile.received == []


def test_a_provider_that_raises_is_a_usage_error_with_its_cause(world: World, hostile: Hostile) -> None:
    def outside_a_request() -> str:
        raise KeyError("Authorization")

    for optional in (False, True):
        client = exchanging(world, hostile, world.function(outside_a_request), optional_exchange=optional)
        with pytest.raises(UsageError, match="subject_token_provider failed with KeyError") as caught:
            world.get(client)
        assert isinstance(caught.value.__cause__, KeyError)
    assert hostile.received == []


def test_an_error_of_ours_that_a_provider_raises_stays_what_it_is(world: World, hostile: Hostile) -> None:
    def no_longer() -> str:
        raise InvalidGrant("invalid_grant", "the user has left")

    with pytest.raises(InvalidGrant, match="the user has left"):
        world.get(exchanging(world, hostile, world.function(no_longer)))


@pytest.mark.parametrize("world", ["httpx2", "httpx"], indirect=True)
def test_a_coroutine_function_on_a_blocking_client_is_a_usage_error_and_leaves_no_warning(
    world: World, hostile: Hostile
) -> None:
    async def provider() -> str:
        return "st-a"

    with pytest.raises(UsageError, match="coroutine"):
        world.get(exchanging(world, hostile, provider))


def test_many_callers_with_one_subject_token_share_one_exchange(world: World, hostile: Hostile) -> None:
    held = Held(token("at-1"))
    client = exchanging(world, hostile, lambda: "st-a", held)
    with in_background(lambda: together(8, lambda: world.get(client).status_code)) as outcome:
        held.wait_for_arrival()
        held.release.set()
        assert outcome() == [200] * 8
    assert len(hostile.token_requests) == 1


def test_an_exchanged_token_that_is_no_access_token_is_returned_and_never_sent(
    world: World, provider: Provider, hostile: Hostile
) -> None:
    authority = world.authority_class(world.client(base_url=provider.issuer))
    owner = ResourceOwnerCredentials("client-1", "my-secret").with_username_password("user", "pwd")
    subject = world.token(authority, owner).access_token
    id_token = "urn:ietf:params:oauth:token-type:id_token"
    wanted = TokenExchange("client-1", "my-secret", subject_token=subject, requested_token_type=id_token)
    assert world.token(authority, wanted).token_type == "N_A"
    client = world.api(hostile, world.factory(authority).authenticating_transport(world.transport(), wanted))
    with pytest.raises(UsageError, match="N_A is not an access token") as caught:
        world.get(client)
    assert caught.value.error == "unsupported_token_type"
    assert hostile.received == []
