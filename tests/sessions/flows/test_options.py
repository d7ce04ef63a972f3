"""What a session is constructed with: validated once, and nothing ignored."""

from functools import partial
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sessions.options import SessionOptions, session_options
from doorkey.tokens import OAuth2Token
from doorkey.values import Scope, Secret


def options_of(**given: Any) -> SessionOptions:
    return session_options(given, known_elsewhere={"verify"}, blocking=True)[0]


async def update_later(token: Any, **_: Any) -> None:
    pass


class Saver:
    async def __call__(self, token: Any, **_: Any) -> None:
        pass

    async def save(self, token: Any, **_: Any) -> None:
        pass


def test_the_options_of_the_family_are_taken_and_the_others_left_for_the_http_client() -> None:
    given = {
        "client_id": "id",
        "client_secret": "s",
        "scope": ["a", "b"],
        "verify": False,
        "token": {"access_token": "t"},
    }
    own, rest, token = session_options(given, known_elsewhere={"verify"}, blocking=True)
    assert (own.client_id, own.credential, own.scope) == ("id", Secret("s"), Scope(("a", "b")))
    assert rest == {"verify": False}
    assert token == OAuth2Token({"access_token": "t"})
    assert "verify" in given


def test_a_parameter_of_none_is_omitted() -> None:
    assert options_of(client_id=None, scope=None, metadata=None, leeway=None) == options_of()


@pytest.mark.parametrize(
    ("name", "near"),
    [("client_idd", "client_id"), ("tokn_endpoint", "token_endpoint"), ("verfy", "verify"), ("qqqqqq", None)],
)
def test_an_option_that_is_unknown_names_the_nearest_known_one(name: str, near: str | None) -> None:
    with pytest.raises(UsageError, match=f"no option '{name}'") as caught:
        options_of(**{name: 1})
    assert ("did you mean" in str(caught.value)) == (near is not None)
    assert near is None or repr(near) in str(caught.value)


def test_endpoints_are_metadata_and_win_over_it() -> None:
    metadata = {
        "issuer": "https://as.example",
        "token_endpoint": "https://as.example/t",
        "jwks_uri": "https://as.example/j",
    }
    own = options_of(metadata=metadata, token_endpoint="https://other.example/t")
    assert own.metadata.token_endpoint == "https://other.example/t"
    assert own.metadata.jwks_uri == "https://as.example/j"
    assert options_of(metadata=ServerMetadata(issuer="https://as.example")).metadata.issuer == "https://as.example"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"client_id": 7}, "client_id must be text"),
        ({"redirect_uri": 7}, "redirect_uri must be text"),
        ({"state": 7}, "state must be text"),
        ({"grant_type": 7}, "grant_type must be text"),
        ({"token_placement": "cookie"}, "token_placement"),
        ({"code_challenge_method": "plain"}, "S256"),
        ({"leeway": -1}, "leeway"),
        ({"leeway": True}, "leeway"),
        ({"leeway": "60"}, "leeway"),
        ({"leeway": float("nan")}, "leeway"),
        ({"update_token": 7}, "update_token"),
        ({"update_token": update_later}, "asynchronous"),
        ({"update_token": Saver()}, "asynchronous"),
        ({"update_token": Saver().save}, "asynchronous"),
        ({"update_token": partial(update_later)}, "asynchronous"),
        ({"token_endpoint_auth_method": 7}, "client authentication method"),
        ({"revocation_endpoint_auth_method": 7}, "client authentication method"),
        ({"token_endpoint": "http://as.example/t"}, "https"),
        ({"metadata": "https://as.example"}, "metadata"),
        ({"scope": 'a"b'}, "scope"),
        ({"scope": 7}, "scope"),
        ({"token": "at"}, "mapping"),
        ({"exchange": 15}, "ExchangePolicy"),
        ({"clock": 7}, "clock"),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_construction(given: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        options_of(**given)


def test_where_the_client_awaits_update_token_may_be_asynchronous() -> None:
    own = session_options({"update_token": update_later}, known_elsewhere=(), blocking=False)[0]
    assert own.update_token is update_later


def test_options_show_no_secret() -> None:
    own = options_of(client_id="id", client_secret="hunter2")
    assert "hunter2" not in repr(own)
    key = {"kty": "RSA", "d": "hunter2"}
    assert options_of(client_secret=key).credential is key
    assert "hunter2" not in repr(options_of(client_secret=key))
