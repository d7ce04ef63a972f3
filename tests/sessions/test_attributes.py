"""A session's options are its attributes: read as they were given, assigned through the checks of the constructor."""

import copy
import pickle
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.oauth2.client import OAuth2Client
from doorkey.protocol.metadata import ServerMetadata
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, token
from tests.support.service_accounts import ISSUER, KEY, robot

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}
AS = "https://as.example"


def method(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
    """A client authentication method of the user's own."""
    return uri, {**headers, "X-Method": "mine"}, body


VALUES: dict[str, tuple[Any, Any]] = {  # name: (another value than the default, the default)
    "client_id": ("other", ""),
    "client_secret": ("hunter2", None),
    "token_endpoint_auth_method": ("client_secret_post", None),
    "revocation_endpoint_auth_method": (method, None),
    "scope": ("a b", None),
    "state": ("s-1", None),
    "redirect_uri": ("https://rp.example/cb", None),
    "token_placement": ("uri", "header"),
    "leeway": (7, None),
    "code_challenge_method": ("S256", None),
    "grant_type": ("client_credentials", None),
    "metadata": (ServerMetadata(issuer=AS, token_endpoint=f"{AS}/token"), ServerMetadata()),
    "authorization_endpoint": (f"{AS}/authorize", None),
    "token_endpoint": (f"{AS}/token", None),
    "revocation_endpoint": (f"{AS}/revoke", None),
    "introspection_endpoint": (f"{AS}/introspect", None),
}


@pytest.mark.parametrize("name", VALUES)
def test_an_option_is_an_attribute_that_may_be_assigned(adapter: Adapter, name: str) -> None:
    value, usual = VALUES[name]
    made: Any = adapter.client(**{name: value}).native
    assert getattr(made, name) == value
    session: Any = adapter.client(None).native
    assert getattr(session, name) == usual
    setattr(session, name, value)
    assert getattr(session, name) == value
    setattr(session, name, None)
    assert getattr(session, name) == usual
    assert vars(OAuth2Client)[name].__doc__, "help() says what it is"


def test_every_option_that_programs_assign_is_tested_here() -> None:
    options = {name for name, member in vars(OAuth2Client).items() if type(member).__name__ == "Option"}
    assert options == VALUES.keys() | {"update_token"}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("client_id", 7), ("token_endpoint_auth_method", 7), ("scope", 7), ("scope", 'a"b'), ("state", 7)),
        *(("redirect_uri", 7), ("token_placement", "cookie"), ("update_token", 7), ("leeway", -1), ("leeway", "60")),
        *(("code_challenge_method", "plain"), ("metadata", f"{AS}"), ("token_endpoint", "http://as.example/t")),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_changes_nothing(adapter: Adapter, name: str, wrong: Any) -> None:
    session: Any = adapter.client().native
    before = getattr(session, name)
    with pytest.raises(UsageError, match=name.partition("_")[0]):
        setattr(session, name, wrong)
    assert getattr(session, name) == before


def test_update_token_may_be_assigned_and_is_called(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    saved = list[str]()
    client = adapter.client(token_endpoint=hostile.token_endpoint)

    def save(token: Any, **_: Any) -> None:
        saved.append(token.access_token)

    client.native.update_token = adapter.function(save)
    client.fetch_token()
    assert saved == ["at-1"]


def test_an_update_token_of_the_other_world_is_refused_where_it_cannot_be(adapter: Adapter) -> None:
    async def later(token: Any, **_: Any) -> None: ...

    session = adapter.client().native
    if adapter.kind.is_async:
        session.update_token = later
    else:
        with pytest.raises(UsageError, match="asynchronous"):
            session.update_token = later


def test_an_assigned_option_is_sent(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client(None, "wrong")
    client.native.client_id = "c"
    client.native.client_secret = "s"
    client.native.token_endpoint_auth_method = "client_secret_post"
    client.native.scope = {"read"}
    client.native.token_endpoint = hostile.token_endpoint
    client.fetch_token()
    form = hostile.token_requests[0].form
    assert (form["client_id"], form["client_secret"], form["scope"]) == ("c", "s", "read")


def test_a_revocation_is_authenticated_as_was_assigned(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token=OLD)
    client.native.revocation_endpoint_auth_method = method
    client.native.revocation_endpoint = hostile.url("/revoke")
    client.revoke_token()
    assert hostile.received[0].header("x-method") == "mine"


def test_new_logins_are_as_was_assigned(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client()
    client.native.authorization_endpoint = f"{AS}/authorize"
    client.native.redirect_uri = "https://rp.example/cb"
    client.native.code_challenge_method = "S256"
    url, _ = client.create_authorization_url()
    assert "redirect_uri=https%3A%2F%2Frp.example%2Fcb" in url
    assert "code_challenge=" in url
    client.native.state = "s-1"
    came_back = "https://rp.example/cb?code=c&state=s-1"
    assert client.fetch_token(hostile.token_endpoint, authorization_response=came_back).access_token == "at-1"


@pytest.mark.parametrize("told", ["before", "after"])
def test_a_leeway_that_is_assigned_holds_for_the_token_there_is(
    adapter: Adapter, hostile: Hostile, clock: Clock, told: str
) -> None:
    hostile.on("/token", token("at-2", expires_in=300))
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    if told == "after":
        client.get(hostile.url())
    client.native.leeway = 200
    clock.advance(99)
    client.get(hostile.url())
    assert hostile.token_requests == []
    clock.advance(1)
    client.get(hostile.url())
    assert hostile.to("/api")[-1].token == "at-2"


def test_a_token_goes_where_was_assigned(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    client = adapter.client(token=OLD, clock=clock)
    client.native.token_placement = "uri"
    client.get(hostile.url())
    client.native.token_placement = None
    client.get(hostile.url())
    assert [(one.query.get("access_token"), one.token) for one in hostile.received] == [("at-1", None), (None, "at-1")]


def test_metadata_is_replaced_whole_and_an_endpoint_alone(adapter: Adapter) -> None:
    session = adapter.client(metadata={"issuer": AS, "jwks_uri": f"{AS}/jwks"}).native
    session.token_endpoint = f"{AS}/token"
    assert session.metadata == ServerMetadata(issuer=AS, jwks_uri=f"{AS}/jwks", token_endpoint=f"{AS}/token")
    session.metadata = {"issuer": "https://other.example"}
    assert session.metadata == ServerMetadata(issuer="https://other.example")
    with pytest.raises(UsageError, match="https"):
        session.token_endpoint = "http://other.example/token"


def test_a_secret_is_read_as_it_was_given_and_shown_nowhere(adapter: Adapter) -> None:
    key = {"kty": "oct", "k": "aHVudGVyMg"}
    session = adapter.client("c", "hunter2").native
    assert session.client_secret == "hunter2"
    assert "hunter2" not in f"{session!r} {vars(session)} {session._oauth.options!r}"
    session.client_secret = key
    assert session.client_secret is key
    assert "aHVudGVyMg" not in repr(session._oauth.options)


def test_before_a_session_is_made_nothing_can_be_assigned(adapter: Adapter) -> None:
    kind: Any = adapter.client().native.__class__
    with pytest.raises(UsageError, match=r"super\(\).__init__"):
        kind.__new__(kind).scope = "a"


def test_an_assertion_session_asks_where_was_assigned(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"))
    client = robot(adapter, token_endpoint=f"{AS}/token", issuer=ISSUER, key=KEY, clock=clock)
    client.native.token_endpoint = hostile.token_endpoint
    client.native.scope = "read"
    client.get(hostile.url())
    assert hostile.token_requests[0].form["scope"] == "read"


def test_a_session_is_neither_pickled_nor_copied(adapter: Adapter) -> None:
    for call in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(UsageError, match="neither pickled nor copied"):
            call(adapter.client().native)


def test_what_a_vault_decides_of_its_sessions_is_not_theirs_to_change(adapter: Adapter) -> None:
    known: dict[str, Any] = {"client_id": "c", "token_endpoint": f"{AS}/token"}
    vaults: Any = AsyncTokenVault(AsyncMemoryStore(), **known), TokenVault(MemoryStore(), **known)
    session: Any = vaults[0 if adapter.kind.is_async else 1].client("alice", adapter.kind.make, **adapter.kind.defaults)
    adapter.adopt(session)

    def update_token(token: object, **replaced: object) -> None: ...

    for name, value in (("leeway", 7), ("update_token", update_token), ("scope", "read")):
        with pytest.raises(UsageError, match="vault"):
            setattr(session, name, value)
    session.token_placement = "uri"
    assert (session.leeway, session.scope, session.token_placement) == (None, None, "uri")
