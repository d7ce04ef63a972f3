"""Arguments of every kind for an assertion session, and results of every kind of its signer: only an `OAuthError`."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What is given here is of any kind by design.

import json
from pathlib import Path
from typing import Any

import pytest

from doorkey.jose.generation import generate_key
from doorkey.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, token
from tests.support.key_files import written
from tests.support.service_accounts import CLASSES
from tests.support.wrong_values import failures, parameters_of, refused

pytestmark = pytest.mark.parametrize("adapter", ["requests", "httpx2-async"], indirect=True)

OWN = ("assertion_issuer", "signer", "alg", "kid", "thumbprint_kid", "header", "claims", "subject", "audience", "key")
TIMES = ("issued_at", "expires_at", "expires_in")
PLACES = ("issuer", "token_endpoint", "token_url", "grant_type", "metadata", "client_id", "scope", "leeway")
KEY = generate_key("ES256")


@pytest.fixture
def good(hostile: Hostile) -> dict[str, Any]:
    hostile.on("/token", token("at-1"))
    return {"token_endpoint": hostile.token_endpoint, "issuer": "robots"}


@pytest.mark.parametrize("how", [{"key": KEY}, {"signer": lambda _: b"x" * 64, "alg": "ES256"}], ids=["key", "signer"])
def test_options_of_any_kind(adapter: Adapter, good: dict[str, Any], how: dict[str, Any]) -> None:
    def made(**options: Any) -> None:
        adapter.adopt(CLASSES[adapter.kind.name](**{**adapter.kind.defaults, **options})).fetch_token()

    refused(failures(made, {**good, **how}, (*OWN, *TIMES, *PLACES)))


def test_a_key_file_of_any_kind(adapter: Adapter, hostile: Hostile, tmp_path: Path) -> None:
    hostile.on("/token", token("at-1"))
    kind: Any = CLASSES[adapter.kind.name]

    def made(**options: Any) -> None:
        adapter.adopt(kind.from_file(**{**adapter.kind.defaults, **options})).fetch_token()

    path = written(tmp_path, hostile.token_endpoint)

    def with_member(**members: Any) -> None:
        members = {name: value for name, value in members.items() if _is_json(value)}
        token_uri = members.pop("token_uri", hostile.token_endpoint)
        made(path=written(tmp_path, token_uri, **members))

    refused(failures(made, {"path": path}, ("path", "issuer", "scope", "subject", "claims", "audience")))
    refused(failures(with_member, {}, json.loads(path.read_text())))


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("kind", [PrivateKeyJWT, ClientSecretJWT])
def test_client_assertions_of_any_kind(adapter: Adapter, hostile: Hostile, kind: Any) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client("c", KEY if kind is PrivateKeyJWT else "s" * 64, token_endpoint=hostile.token_endpoint)
    refused(failures(lambda **given: client.fetch_token(auth=kind(**given)), {}, parameters_of(kind)))


def test_a_signer_returns_anything(adapter: Adapter, good: dict[str, Any]) -> None:
    def asked(returned: Any) -> None:
        options = {**good, "signer": adapter.function(lambda _: returned), "alg": "ES256"}
        adapter.adopt(CLASSES[adapter.kind.name](**{**adapter.kind.defaults, **options})).fetch_token()

    refused(failures(asked, {}))
