"""Introspection responses that the server has signed, and encrypted to the API (RFC 9701)."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from doorkey import UsageError
from doorkey.errors import InvalidResponse, VerificationError
from doorkey.jose.encryption import encrypt
from doorkey.jose.keys import import_key
from doorkey.jose.signing import sign
from doorkey.protocol.introspection import JWT_MEDIA_TYPE, JWT_TYPE
from tests.support.fake_clock import START
from tests.support.resource_server import ACTIVE, API, ASKING, ISSUER, KEY, OPAQUE, OTHER_KEY, Apis, Server, unchecked


def signed(members: dict[str, Any], key: Any = KEY, typ: str = JWT_TYPE, **changed: Any) -> httpx2.Response:
    claims = {"iss": ISSUER, "aud": "api", "iat": int(START), "token_introspection": members, **changed}
    body = sign(claims, key, alg="ES256", header={"kid": "1", "typ": typ})
    return httpx2.Response(200, content=body.encode(), headers={"content-type": JWT_MEDIA_TYPE})


@pytest.fixture
def asking_signed(apis: Apis) -> Any:
    return apis(ISSUER, audience=API, introspection=replace(ASKING, signed=True))


def test_a_signed_response_is_verified(asking_signed: Any, server: Server) -> None:
    server.instead["/introspect"] = lambda _: signed(ACTIVE)
    assert asking_signed.verify(OPAQUE).sub == "alice"
    [request] = [one for one in server.requests if one.url.path == "/introspect"]
    assert request.headers["accept"] == JWT_MEDIA_TYPE
    server.instead["/introspect"] = lambda _: signed(ACTIVE, aud=["other", API])
    assert asking_signed.verify("another").sub == "alice"


@pytest.mark.parametrize(
    "answer",
    [
        signed(ACTIVE, OTHER_KEY),
        signed(ACTIVE, iss="https://mallory.example"),
        signed(ACTIVE, aud="another-api"),
        signed(ACTIVE, iat=int(START) + 3600),
        signed(ACTIVE, typ="JWT"),
        signed(ACTIVE, typ="at+jwt"),
        signed({"active": "true"}),
    ],
)
def test_a_signed_response_that_is_not_good_permits_nothing(asking_signed: Any, server: Server, answer: Any) -> None:
    server.instead["/introspect"] = lambda _: answer
    assert isinstance(unchecked(asking_signed), VerificationError)


def encrypted(key: Any, response: httpx2.Response) -> httpx2.Response:
    body = encrypt(response.content, key.public_jwk(), alg="ECDH-ES+A128KW", enc="A128GCM", header={"cty": "JWT"})
    return httpx2.Response(200, content=body.encode(), headers=response.headers)


def test_a_signed_response_may_be_encrypted_to_the_api(apis: Apis, server: Server) -> None:
    key = import_key(ec.generate_private_key(ec.SECP256R1()))
    private = key.as_dict(is_private=True)
    asking = replace(ASKING, signed=True, decryption_keys=private)
    server.instead["/introspect"] = lambda _: encrypted(key, signed(ACTIVE))
    assert apis(ISSUER, audience=API, introspection=asking).verify(OPAQUE).sub == "alice"
    assert private["d"] not in repr(asking)
    api = apis(ISSUER, audience=API, introspection=asking)
    wrong = [
        encrypted(import_key(ec.generate_private_key(ec.SECP256R1())), signed(ACTIVE)),
        encrypted(key, signed(ACTIVE, OTHER_KEY)),
    ]
    server.instead["/introspect"] = lambda _: wrong.pop()
    for text in ("signed by another key", "encrypted to another key"):
        assert isinstance(unchecked(api, text.replace(" ", "-")), VerificationError)
    server.instead["/introspect"] = lambda _: encrypted(key, signed(ACTIVE))
    error = unchecked(apis(ISSUER, audience=API, introspection=replace(ASKING, signed=True)))
    assert "decryption_keys" in str(error)
    with pytest.raises(UsageError, match="signed=True"):
        replace(ASKING, decryption_keys=private)


def test_a_response_without_a_signature_does_not_replace_a_signed_one(asking_signed: Any, server: Server) -> None:
    server.tokens[OPAQUE] = ACTIVE
    assert isinstance(unchecked(asking_signed), InvalidResponse)
