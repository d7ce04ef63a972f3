"""ID tokens, userinfo responses and logout tokens that are encrypted to a key of the client."""

import json
from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose.encryption import decrypt, decrypt_nested, is_encrypted
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key, import_key
from doorkey.jose.verification import verify
from doorkey.server.endpoints.userinfo import userinfo
from doorkey.server.registrations import ENCRYPTION_ALGS, ENCRYPTION_ENCS
from doorkey.wire.flow import run
from doorkey.wire.messages import Request, Response
from tests.server.world import ALICE, APP, ENDPOINTS, World


def encryption_key(alg: str) -> Key:
    """A private key of the client for `alg`."""
    jwk = generate_key("RS256" if alg.startswith("RSA") else "ES256").as_dict(is_private=True)
    return import_key({**{name: value for name, value in jwk.items() if name not in ("use", "alg")}, "use": "enc"})


@pytest.fixture(scope="module")
def keys() -> dict[str, Key]:
    return {"RSA": encryption_key("RSA-OAEP"), "EC": encryption_key("ECDH-ES")}


def world_of(key: Key, **options: Any) -> World:
    signing = generate_key("ES256").public_jwk()  # the first that a careless server would take
    return World(clients=(replace(APP, jwks={"keys": [signing, key.public_jwk()]}, **options),))


def get_userinfo(world: World) -> Response:
    token = world.login().json["access_token"]
    request = Request("GET", ENDPOINTS.userinfo, (("Authorization", f"Bearer {token}"),))
    return run(userinfo(request, world.at), world.perform)


@pytest.mark.parametrize("enc", [None, *ENCRYPTION_ENCS])
@pytest.mark.parametrize("alg", ENCRYPTION_ALGS)
def test_an_id_token_is_signed_and_then_encrypted(keys: dict[str, Key], alg: str, enc: str | None) -> None:
    key = keys["RSA" if alg.startswith("RSA") else "EC"]
    world = world_of(key, id_token_encrypted_response_alg=alg, id_token_encrypted_response_enc=enc)
    token = world.login().json["id_token"]
    assert is_encrypted(token)
    signed = decrypt_nested(token, key, algorithms=alg, encryptions=enc or "A128CBC-HS256")
    assert verify(signed, world.at.keys.verifying, algorithms=["RS256"]).claims["sub"] == ALICE.sub


def test_an_encrypted_userinfo_response_is_signed_or_not_as_registered(keys: dict[str, Key]) -> None:
    options = {"userinfo_encrypted_response_alg": "ECDH-ES+A256KW", "userinfo_encrypted_response_enc": "A256GCM"}
    bare = get_userinfo(world_of(keys["EC"], **options))
    assert bare.header("content-type") == "application/jwt"
    told = json.loads(decrypt(bare.body.decode(), keys["EC"], algorithms="ECDH-ES+A256KW"))
    assert told["sub"] == ALICE.sub
    world = world_of(keys["EC"], **options, userinfo_signed_response_alg="ES256")
    nested = decrypt_nested(get_userinfo(world).body.decode(), keys["EC"], algorithms="ECDH-ES+A256KW")
    assert verify(nested, world.at.keys.verifying, algorithms=["ES256"]).claims["aud"] == "app"


def test_a_client_without_a_fitting_key_gets_an_error_and_no_plain_token(keys: dict[str, Key]) -> None:
    world = world_of(keys["EC"], id_token_encrypted_response_alg="RSA-OAEP")
    answer = world.login()
    assert answer.problem == (500, "server_error")
    assert "id_token" not in answer.json
    with pytest.raises(UsageError, match="needs jwks"):
        replace(APP, id_token_encrypted_response_alg="RSA-OAEP")


def test_an_encrypted_token_is_none_that_the_server_reads_back(keys: dict[str, Key]) -> None:
    world = world_of(keys["EC"], id_token_encrypted_response_alg="ECDH-ES")
    token = world.login().json["id_token"]
    with pytest.raises((VerificationError, OAuthError)):
        verify(token, world.at.keys.verifying, algorithms=["RS256"])
