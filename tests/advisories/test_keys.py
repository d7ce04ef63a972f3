"""Advisories about the keys of an issuer: when they are fetched, and from where."""

from typing import Any

import httpx2
import pytest

from doorkey import Issuer, KeySource
from doorkey.errors import InvalidResponse, TransportError, UsageError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key
from doorkey.jose.signing import sign
from tests.support.fake_clock import Clock

URI = "https://as.example/jwks"
GOOD, THEIRS = generate_key("ES256"), generate_key("ES256")


def token(key: Key = GOOD) -> str:
    return sign({"sub": "alice"}, key, alg="ES256", header={"kid": key.kid})


class Server:
    """Publishes `GOOD` until it is `down`."""

    def __init__(self) -> None:
        self.fetches, self.down = 0, False

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.fetches += 1
        if self.down:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, json={"keys": [GOOD.public_jwk()]})


def test_cve_2026_48524_an_unknown_kid_causes_one_fetch_per_cool_down(clock: Clock) -> None:
    server = Server()
    keys = KeySource(jwks_uri=URI, http_client=httpx2.Client(transport=httpx2.MockTransport(server)), clock=clock)
    keys.verify(token())
    for cool_down in range(1, 4):
        for _ in range(100):
            with pytest.raises(VerificationError):
                keys.verify(token(THEIRS))
        assert server.fetches == 1 + cool_down
        clock.advance(30)


def test_cve_2026_48524_a_failed_fetch_does_not_erase_the_keys(clock: Clock) -> None:
    server = Server()
    keys = KeySource(jwks_uri=URI, http_client=httpx2.Client(transport=httpx2.MockTransport(server)), clock=clock)
    keys.verify(token())
    server.down = True
    with pytest.raises(VerificationError) as error:
        keys.verify(token(THEIRS))
    assert isinstance(error.value.__cause__, TransportError)
    assert keys.verify(token()).claims == {"sub": "alice"}


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "data:application/json,{}", "/etc/passwd", "ftp://x/", "http://x/", "https://u@x/"]
)
def test_cve_2026_48522_keys_are_fetched_over_https_alone(where: str) -> None:
    with pytest.raises(UsageError):
        KeySource(jwks_uri=where)
    with pytest.raises(UsageError):
        Issuer("https://as.example", metadata={"jwks_uri": where})

    def answer(request: Any) -> httpx2.Response:
        return httpx2.Response(200, json={"issuer": "https://as.example", "jwks_uri": where})

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http, pytest.raises(InvalidResponse):
        Issuer("https://as.example", http_client=http).keys.keys()
