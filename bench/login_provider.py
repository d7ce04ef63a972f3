"""An OpenID provider for the measurements, in a separate process. It signs an ID token for each token request.

The code of an authorization response is the nonce of its request, so that the provider needs no state.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final
from urllib.parse import parse_qs

from bench.peers import TEXT
from bench.server import Connection, serve
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign

CLIENT: Final = "web"
METADATA: Final = "/.well-known/openid-configuration"
KEY: Final = generate_key("ES256")


class Provider(Connection):
    """A connection to the provider."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.issuer = f"http://127.0.0.1:{port}"

    def answer(self, path: bytes, body: bytes) -> None:
        answers: dict[bytes, Any] = {METADATA.encode(): self.metadata, b"/jwks": jwks, b"/token": self.token}
        self.send(json.dumps(answers.get(path, api)(body)).encode())

    def metadata(self, _: bytes) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        urls = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        return {"issuer": self.issuer, **urls, "id_token_signing_alg_values_supported": ["ES256"]}

    def token(self, body: bytes) -> dict[str, Any]:
        now, nonce = int(time.time()), parse_qs(body.decode())["code"][0]
        claims = {"iss": self.issuer, "sub": "alice", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        issued = {"access_token": TEXT, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh"}
        return {**issued, "id_token": sign(claims, KEY, alg="ES256")}


def jwks(_: bytes) -> dict[str, Any]:
    return {"keys": [KEY.public_jwk()]}


def api(_: bytes) -> dict[str, Any]:
    return {"ok": True}


if __name__ == "__main__":
    asyncio.run(serve(Provider))
