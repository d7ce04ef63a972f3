import base64
from typing import Any

import pytest

from doorkey.jose.generation import generate_key
from doorkey.jose.keys import import_key
from doorkey.jose.signing import sign
from doorkey.server.clients.assertion import ASSERTION_TYPE
from doorkey.server.registrations import CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, Client
from doorkey.values import Secret
from tests.server.world import ENDPOINTS, ISSUER, SECRET, Answer, World

KEY, STRANGERS_KEY = generate_key("ES256"), generate_key("ES256")
ODD_ID, ODD_SECRET = "odd:id +1", "p%41+q/r:s&t=u v"
ASK = {"grant_type": "client_credentials"}


@pytest.fixture
def world() -> World:
    return World(
        clients=(
            *World().clients,
            Client(client_id=ODD_ID, secret=Secret(ODD_SECRET)),
            Client(client_id="hmac", secret=Secret(SECRET), auth_methods=(CLIENT_SECRET_JWT,)),
            Client(
                client_id="signer",
                jwks={"keys": [KEY.public_jwk()]},
                auth_methods=(PRIVATE_KEY_JWT,),
                auth_algorithms=("ES256",),
            ),
        )
    )


def assert_with(world: World, key: object = KEY, alg: str = "ES256", **changes: Any) -> Answer:
    claims = {"iss": "signer", "sub": "signer", "aud": ENDPOINTS.token, "exp": world.now + 60, "jti": "one", **changes}
    given = {name: value for name, value in claims.items() if value is not None}
    return present(world, sign(given, key, alg=alg))


def present(world: World, assertion: str, **more: str) -> Answer:
    return world.token({**ASK, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more}, None)


def test_basic_with_odd_characters_is_form_decoded(world: World) -> None:
    assert world.token(ASK, (ODD_ID, ODD_SECRET)).status == 200


def test_the_secret_may_stand_in_the_form(world: World) -> None:
    assert world.token({**ASK, "client_id": "app", "client_secret": SECRET}, None).status == 200


def test_two_ways_at_once_are_refused(world: World) -> None:
    posted = {**ASK, "client_id": "app", "client_secret": SECRET}
    assert world.token(posted, ("app", SECRET)).problem == (400, "invalid_request")
    assert world.token({**ASK, "client_id": "other"}, ("app", SECRET)).problem == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Basic", "Basic %%%", "Basic " + base64.b64encode(b"no-colon").decode()])
def test_a_garbled_header_is_no_client(world: World, header: str) -> None:
    from doorkey.server.endpoints.token import token
    from doorkey.wire.flow import run
    from doorkey.wire.messages import FORM, Request

    headers = (("Content-Type", FORM), ("Authorization", header))
    request = Request("POST", ENDPOINTS.token, headers, tuple(ASK.items()))
    assert Answer.of(run(token(request, world.at), world.perform)).problem == (401, "invalid_client")


@pytest.mark.parametrize("basic", [("app", "wrong"), ("app", ""), ("spa", ""), ("hmac", SECRET), ("signer", "x")])
def test_a_wrong_secret_or_another_method_than_the_registered_is_refused(world: World, basic: tuple[str, str]) -> None:
    assert world.token(ASK, basic).problem == (401, "unauthorized_client")


def test_a_client_with_a_key_cannot_come_without_it(world: World) -> None:
    assert world.token({**ASK, "client_id": "signer"}, None).problem == (401, "unauthorized_client")


def test_an_assertion_signed_with_the_registered_key_is_good(world: World) -> None:
    assert assert_with(world).status == 200
    assert assert_with(world, jti="two", aud=ISSUER).status == 200
    assert assert_with(world, jti="three", aud=[ISSUER]).status == 200


def test_an_assertion_made_with_the_secret_is_good(world: World) -> None:
    answer = assert_with(world, SECRET, "HS256", iss="hmac", sub="hmac")
    assert answer.status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "app"},
        {"iss": None},
        {"sub": None},
        {"sub": "app"},
        {"aud": None},
        {"aud": "https://elsewhere.example"},
        {"aud": [ISSUER, "https://elsewhere.example"]},
        {"aud": []},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": 1_800_000_000 - 60},
        {"exp": 1_800_000_000 + 3600},
        {"nbf": 1_800_000_000 + 60},
        {"iat": 1_800_000_000 + 60},
        {"jti": None},
        {"jti": 7},
    ],
)
def test_an_assertion_is_checked_for_aud_iss_sub_exp_and_jti(world: World, wrong: dict[str, Any]) -> None:
    status, error = assert_with(world, **wrong).problem
    assert (status in (400, 401), error) == (True, "invalid_client")


def test_an_assertion_works_once(world: World) -> None:
    assertion = sign(
        {"iss": "signer", "sub": "signer", "aud": ISSUER, "exp": world.now + 60, "jti": "one"}, KEY, alg="ES256"
    )
    assert present(world, assertion).status == 200
    assert present(world, assertion).problem == (400, "invalid_client")
    world.advance(69)
    assert present(world, assertion).problem == (400, "invalid_client")


def test_a_client_whose_name_begins_another_ones_cannot_use_up_its_assertions(world: World) -> None:
    jwks = {"keys": [KEY.public_jwk()]}
    world.clients += tuple(
        Client(client_id=name, auth_methods=("private_key_jwt",), jwks=jwks) for name in ("a", "a/b")
    )
    assert assert_with(world, iss="a", sub="a", jti="b/c").status == 200
    assert assert_with(world, iss="a/b", sub="a/b", jti="c").status == 200


def test_a_refused_assertion_is_not_used_up(world: World) -> None:
    assert assert_with(world, aud="https://elsewhere.example").status == 400
    assert assert_with(world).status == 200


def test_a_strangers_key_another_algorithm_and_garbage_are_refused(world: World) -> None:
    assert assert_with(world, STRANGERS_KEY).problem == (401, "invalid_client")
    assert assert_with(world, generate_key("RS256"), "RS256").problem == (401, "invalid_client")
    assert present(world, "garbage").problem == (401, "invalid_client")
    assert present(world, "a.b.c").problem == (401, "invalid_client")


def test_the_public_key_of_a_client_is_no_shared_secret(world: World) -> None:
    jwk = import_key(KEY.public_jwk()).public_jwk()
    secret = str(jwk["x"]).ljust(32, "x")
    assert assert_with(world, secret, "HS256").problem == (401, "invalid_client")


def test_the_client_id_parameter_must_agree_with_the_assertion(world: World) -> None:
    claims = {"iss": "signer", "sub": "signer", "aud": ISSUER, "exp": world.now + 60, "jti": "one"}
    assert present(world, sign(claims, KEY, alg="ES256"), client_id="app").status == 400


def test_another_assertion_type_is_refused(world: World) -> None:
    form = {**ASK, "client_assertion_type": "urn:other", "client_assertion": "a.b.c"}
    assert world.token(form, None).problem == (401, "invalid_client")


def test_a_repeated_parameter_is_refused(world: World) -> None:
    pairs = (("grant_type", "client_credentials"), ("client_id", "app"), ("client_id", "app"))
    assert world.token(pairs).problem == (400, "invalid_request")
