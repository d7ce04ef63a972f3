"""An issuer of the tests: its metadata and its key set as responses, and tokens that its keys sign."""

import json
from collections.abc import Callable
from typing import Any

from doorkey.errors import TransportError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.renewal.leader_lock import AcquireOrWait
from doorkey.wire.messages import Request, Response

ISSUER = "https://as.example"
JWKS_URI = f"{ISSUER}/jwks"
WELL_KNOWN = f"{ISSUER}/.well-known/openid-configuration"
METADATA = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token", "jwks_uri": JWKS_URI}

FIRST, SECOND = generate_key("ES256"), generate_key("ES256")
DOWN = TransportError("no connection", retryable=True)


def jwk(key: Any, kid: str | None) -> dict[str, Any]:
    members = {name: value for name, value in key.public_jwk().items() if name != "kid"}
    return members if kid is None else {**members, "kid": kid}


def token(key: Any = FIRST, kid: str | None = "1", **claims: Any) -> str:
    header = {} if kid is None else {"kid": kid}
    return sign({"sub": "alice", **claims}, key, alg="ES256", header=header)


def answer(members: object, *headers: tuple[str, str], status: int = 200) -> Response:
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return Response(status, (("Content-Type", "application/json"), *headers), body)


class Published:
    """Performs the effects of a flow as a server would that publishes `keys`, a list of JWKs or an error."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys: list[dict[str, Any]] = list(keys) or [jwk(FIRST, "1")]
        self.metadata: dict[str, Any] = dict(METADATA)
        self.headers: tuple[tuple[str, str], ...] = ()
        self.instead: Callable[[], Response] | None = None
        self.requested: list[str] = []

    def __call__(self, effect: Any) -> Any:
        if isinstance(effect, AcquireOrWait):
            return effect.acquire_or_wait()
        assert isinstance(effect, Request)
        self.requested.append(effect.url)
        if self.instead is not None:
            return self.instead()
        return answer(self.metadata if "well-known" in effect.url else {"keys": self.keys}, *self.headers)

    def fail(self) -> None:
        """Be unreachable."""

        def down() -> Response:
            raise DOWN.for_waiter()

        self.instead = down

    def rotate(self, key: Any, kid: str | None) -> None:
        """Publish this key alone."""
        self.keys, self.instead = [jwk(key, kid)], None
