"""The metadata of the server: it lists exactly what the endpoints support."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from doorkey.jose.algorithms import ALGORITHMS
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key, import_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims
from doorkey.server.clients.assertion import ASSERTION_TYPE
from doorkey.server.endpoints.consent import ConsentNeeded
from doorkey.server.endpoints.discovery import discovery
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.introspect import introspect
from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.endpoints.revoke import revoke
from doorkey.server.endpoints.token import token
from doorkey.server.registrations import CLIENT_SECRET_JWT, METHODS, NONE, PRIVATE_KEY_JWT, SECRET_ALGS, Client
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import Request, Response
from tests.server.world import ENDPOINTS, ISSUER, Answer, World, callback

LONG_SECRET = "s" * 64
KEY = generate_key("ES256")
ENDPOINTS_WITH_CLIENTS = {"token": token, "introspection": introspect, "revocation": revoke}
ASSERTED = {CLIENT_SECRET_JWT: (LONG_SECRET, "HS256"), PRIVATE_KEY_JWT: (KEY, "ES256")}


@pytest.fixture
def world() -> World:
    return World()


def metadata(world: World) -> dict[str, Any]:
    return dict(json.loads(run(discovery(Request("GET", ISSUER), world.at), world.perform).body))


def asserted(world: World, key: object, alg: str) -> dict[str, str]:
    claims = {"iss": "one", "sub": "one", "aud": ISSUER, "exp": world.now + 60, "jti": alg}
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": sign(claims, key, alg=alg)}


def new_key(alg: str) -> Key:
    return import_key(Ed448PrivateKey.generate()) if alg == "Ed448" else generate_key(alg)


def error_of(outcome: object) -> str:
    assert isinstance(outcome, Response)
    return callback(outcome)["error"]


def test_each_prompt_of_the_metadata_has_an_effect(world: World) -> None:
    assert set(metadata(world)["prompt_values_supported"]) == {"none", "login", "consent"}
    cookies = Cookies(session=world.logged_in().session_key)
    assert error_of(world.authorize(prompt="none")) == "login_required"
    assert isinstance(world.authorize(cookies, prompt="login"), LoginNeeded)
    assert isinstance(world.authorize(cookies, prompt="consent"), ConsentNeeded)


@pytest.mark.parametrize("endpoint", ENDPOINTS_WITH_CLIENTS)
def test_each_endpoint_lists_the_methods_by_which_clients_can_use_it(world: World, endpoint: str) -> None:
    usable = set[str]()
    for method in METHODS:
        jwks = {"keys": [KEY.public_jwk()]}
        world.clients = (Client(client_id="one", secret=Secret(LONG_SECRET), auth_methods=(method,), jwks=jwks),)
        form = {"grant_type": "password", "username": "alice", "password": "wonderland", "token": "unknown"}
        form |= asserted(world, *ASSERTED[method]) if method in ASSERTED else {}
        form |= {"client_id": "one"} if method in ("client_secret_post", NONE) else {}
        form |= {"client_secret": LONG_SECRET} if method == "client_secret_post" else {}
        basic = ("one", LONG_SECRET) if method == "client_secret_basic" else None
        if Answer.of(world.post(ENDPOINTS_WITH_CLIENTS[endpoint], form, basic)).status == 200:
            usable.add(method)
    assert set(metadata(world)[f"{endpoint}_endpoint_auth_methods_supported"]) == usable
    assert (NONE in usable) is (endpoint != "introspection")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_listed_algorithms_of_assertions_are_those_that_are_accepted(world: World, alg: str) -> None:
    is_secret = alg in SECRET_ALGS
    key: Any = LONG_SECRET if is_secret else new_key(alg)
    world.clients = (
        Client(client_id="one", secret=Secret(LONG_SECRET), auth_methods=(CLIENT_SECRET_JWT,))
        if is_secret
        else Client(client_id="one", jwks={"keys": [key.public_jwk()]}, auth_methods=(PRIVATE_KEY_JWT,)),
    )
    form = {"grant_type": "client_credentials", **asserted(world, key, alg)}
    assert world.token(form, None).status == 200
    for endpoint in ENDPOINTS_WITH_CLIENTS:
        listed = metadata(world)[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert (alg in listed) is (
            alg not in ("Ed25519", "Ed448")
        )  # other names of EdDSA, which Keycloak does not list


def test_the_metadata_lists_the_claims_that_every_id_token_has(world: World) -> None:
    claims = unsafe_claims(world.login().json["id_token"])
    unlisted = {"typ", "jti", "sid", "at_hash", "email_verified"}  # Keycloak does not list these either
    assert set(claims) - unlisted <= set(metadata(world)["claims_supported"])


def test_an_unsupported_request_parameter_has_the_error_of_its_name(world: World) -> None:
    for name in ("request", "request_uri"):
        assert metadata(world)[f"{name}_parameter_supported"] is False
        assert error_of(world.authorize(**{name: f"{ENDPOINTS.token}/x"})) == f"{name}_not_supported"
