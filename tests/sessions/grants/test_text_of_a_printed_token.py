"""`***`, which a printed token shows in place of a secret, is presented to no server."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.grants import JWT_BEARER, TOKEN_EXCHANGE
from doorkey.values import Secret
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, token

MASK = "***"
CALLS: dict[str, Callable[[Client], Any]] = {
    "refresh_token by name": lambda client: client.refresh_token(refresh_token=MASK),
    "refresh_token by position": lambda client: client.refresh_token(None, MASK),
    "fetch_token": lambda client: client.fetch_token(grant_type="refresh_token", refresh_token=MASK),
    "assertion": lambda client: client.fetch_token(grant_type=JWT_BEARER, assertion=MASK),
    "subject_token": lambda client: client.fetch_token(grant_type=TOKEN_EXCHANGE, subject_token=MASK),
    "actor_token": lambda client: client.fetch_token(grant_type=TOKEN_EXCHANGE, subject_token="a", actor_token=MASK),
    "id_token_hint": lambda client: client.native.create_logout_url(id_token_hint=MASK),
    "id_token_hint of a URL": lambda client: client.native.create_authorization_url(id_token_hint=MASK),
    "id_token_hint of a login": lambda client: client.native.begin_authorization(id_token_hint=MASK),
    "id_token_hint as Secret": lambda client: client.native.begin_authorization(id_token_hint=Secret("e.y.J")),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("has_token", [True, False])
def test_the_text_of_a_printed_token_is_refused(adapter: Adapter, hostile: Hostile, name: str, has_token: bool) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(
        "c",
        token={"access_token": "at-1", "refresh_token": "rt-1"} if has_token else None,
        metadata={
            "token_endpoint": hostile.token_endpoint,
            "authorization_endpoint": hostile.url("/authorize"),
            "end_session_endpoint": hostile.url("/logout"),
        },
    )
    with pytest.raises(UsageError, match=r"'\*\*\*' is what a printed token shows"):
        CALLS[name](client)
    assert hostile.received == []
