"""UserInfo and the keys of ID tokens of an issuer that another party names: no inner address is asked for them."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from tests.sessions.security.test_user_supplied_issuers import HERE, PUBLIC, session_of
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import reply
from tests.support.named_servers import NAME, Authority, Names, Proven

KEY = generate_key("ES256")


def userinfo(client: Client, _: Proven) -> Any:
    return client.call("userinfo")


def verify_id_token(client: Client, server: Proven) -> Any:
    claims = {"iss": server.url(""), "sub": "alice", "aud": "c", "iat": START, "exp": START + 300, "nonce": "n"}
    return client.call("verify_id_token", sign(claims, KEY, alg="ES256", header={"kid": "1"}), nonce="n")


PATHS: dict[Callable[[Client, Proven], Any], str] = {userinfo: "/userinfo", verify_id_token: "/jwks"}


def client_at(adapter: Adapter, authority: Authority, server: Proven, host: str, **options: Any) -> Client:
    """Return a session with a token, whose issuer names endpoints on `host`."""
    server.on("/userinfo", reply(json={"sub": "alice"}))
    server.on("/jwks", reply(json={"keys": [{**KEY.public_jwk(), "kid": "1"}]}))
    metadata = {
        "issuer": server.url(""),
        "token_endpoint": server.url("/token"),
        "userinfo_endpoint": server.url("/userinfo", host=host),
        "jwks_uri": server.url("/jwks", host=host),
    }
    return session_of(adapter, authority, metadata=metadata, token={"access_token": "at-1"}, clock=Clock(), **options)


@pytest.mark.parametrize("work", PATHS)
def test_an_endpoint_at_an_address_that_is_not_permitted_is_not_asked(
    adapter: Adapter, names: Names, authority: Authority, server: Proven, work: Callable[[Client, Proven], Any]
) -> None:
    names.lead(NAME, "127.0.0.1")
    names.lead("inner.example", "10.0.0.1")
    for host, policy in ((NAME, PUBLIC), ("inner.example", HERE)):
        with pytest.raises(VerificationError, match=r"ExchangePolicy\.addresses"):
            work(client_at(adapter, authority, server, host, exchange=policy), server)
    assert server.received == []
    assert server.asked_for == []


@pytest.mark.parametrize("work", PATHS)
def test_an_endpoint_at_a_permitted_address_is_asked(
    adapter: Adapter, names: Names, authority: Authority, server: Proven, work: Callable[[Client, Proven], Any]
) -> None:
    names.lead(NAME, "127.0.0.1")
    assert work(client_at(adapter, authority, server, NAME, exchange=HERE), server)["sub"] == "alice"
    assert [request.path for request in server.received] == [PATHS[work]]
    assert names.asked == [NAME]
