"""Sessions of service accounts, on every client."""

from collections.abc import Callable
from typing import Any

from doorkey.integrations.httpx_client import on
from doorkey.integrations.requests_client import AssertionSession
from doorkey.jose.generation import generate_key, private_jwk
from tests.support.every_adapter import Adapter, Client

KEY = private_jwk(generate_key("RS256")).reveal()
ISSUER = "robots@project.example"

CLASSES: dict[str, Callable[..., Any]] = {
    "requests": AssertionSession,
    "httpx2": on("httpx2").AssertionClient,
    "httpx2-async": on("httpx2").AsyncAssertionClient,
    "httpx": on("httpx").AssertionClient,
    "httpx-async": on("httpx").AsyncAssertionClient,
}


def robot(adapter: Adapter, **options: Any) -> Client:
    return adapter.adopt(CLASSES[adapter.kind.name](**{**adapter.kind.defaults, **options}))
