"""The keys and algorithms that a realm signs with, and how they rotate."""

import base64
import json
import math
from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import unsafe_header, verify
from doorkey.oidc.core.hashes import half_hash
from doorkey.server.endpoints.introspect import introspect
from doorkey.server.endpoints.userinfo import userinfo
from doorkey.server.model import Settings
from doorkey.server.registrations import SECRET_ALGS, SIGNING_ALGS
from doorkey.server.storage.records import MemoryRecords
from doorkey.server.tokens.keys import KeyRing, RealmKeys, algorithms_of
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request, Response
from tests.server.world import ALICE, APP, ENDPOINTS, ISSUER, SECRET, World

LONG = "a-secret-of-at-least-sixty-four-bytes-so-that-it-is-fit-for-HS512-too"


class Algorithms(World):
    """A realm with keys for the algorithms that its clients use."""

    @property
    def ring(self) -> RealmKeys:
        wanted = algorithms_of(self.settings, {one.client_id: one for one in self.clients})
        return self.keys.of("one", wanted, ids=self.settings.key_ids)

    @property
    def at(self) -> Any:
        return replace(super().at, keys=self.ring)


def get_userinfo(world: World, token: str) -> Response:
    request = Request("GET", ENDPOINTS.userinfo, (("Authorization", f"Bearer {token}"),))
    return run(userinfo(request, world.at), world.perform)


@pytest.mark.parametrize("alg", SIGNING_ALGS)
def test_an_id_token_is_signed_by_the_algorithm_of_its_client(alg: str) -> None:
    world = Algorithms(clients=(replace(APP, id_token_signed_response_alg=alg),))
    tokens = world.login().json
    verified = verify(tokens["id_token"], world.at.keys.public_jwks(), algorithms=[alg])
    assert verified.claims["at_hash"] == half_hash(tokens["access_token"], alg)
    assert unsafe_header(tokens["access_token"])["alg"] == "RS256"


@pytest.mark.parametrize("alg", SECRET_ALGS)
def test_an_id_token_may_be_signed_with_the_secret_of_its_client(alg: str) -> None:
    secret = Secret(LONG)
    world = World(clients=(replace(APP, secret=secret, id_token_signed_response_alg=alg),))
    form = {"grant_type": "password", "username": "alice", "password": "wonderland", "scope": "openid"}
    token = world.token(form, ("app", LONG)).json["id_token"]
    assert verify(token, secret, algorithms=[alg]).claims["sub"] == "sub-of-alice"


def test_an_algorithm_that_cannot_work_is_refused_when_the_client_is_registered() -> None:
    with pytest.raises(UsageError, match="did you mean 'ES256'"):
        replace(APP, id_token_signed_response_alg="ES255")
    with pytest.raises(UsageError, match="this client has none"):
        replace(APP, secret=None, id_token_signed_response_alg="HS256")
    with pytest.raises(UsageError, match="needs jwks"):
        replace(APP, id_token_encrypted_response_alg="RSA-OAEP")
    with pytest.raises(UsageError, match="needs id_token_encrypted_response_alg"):
        replace(APP, id_token_encrypted_response_enc="A128GCM")
    with pytest.raises(UsageError, match="signing algorithm"):
        Settings(signing_alg="HS256")


def test_a_realm_may_sign_everything_with_another_algorithm() -> None:
    world = Algorithms(settings=Settings(signing_alg="PS256"))
    tokens = world.login().json
    assert {unsafe_header(tokens[name])["alg"] for name in ("access_token", "id_token")} == {"PS256"}
    assert get_userinfo(world, tokens["access_token"]).status == 200


def test_a_new_key_signs_and_the_tokens_of_the_old_one_still_count() -> None:
    world = World()
    before = world.login().json["access_token"]
    world.keys.rotate("one", "RS256")
    after = world.login().json["access_token"]
    kids = [key["kid"] for key in world.at.keys.public_jwks()["keys"] if key["alg"] == "RS256"]
    assert [unsafe_header(token)["kid"] for token in (after, before)] == kids
    assert [get_userinfo(world, token).status for token in (before, after)] == [200, 200]


def test_tokens_of_a_withdrawn_key_count_no_more() -> None:
    world = World()
    before = world.login().json["access_token"]
    world.keys.rotate("one", "RS256", withdraw=True)
    assert len([key for key in world.at.keys.public_jwks()["keys"] if key["alg"] == "RS256"]) == 1
    assert get_userinfo(world, before).status == 401
    assert get_userinfo(world, world.login().json["access_token"]).status == 200


def test_every_process_on_one_store_sees_a_rotation_at_once() -> None:
    store = MemoryRecords()
    ours, theirs = KeyRing(store), KeyRing(store)
    assert ours.of("one").public_jwks() == theirs.of("one").public_jwks()
    ours.rotate("one", "ES256")
    assert ours.of("one").public_jwks() == theirs.of("one").public_jwks()
    assert len(theirs.of("one").signing) == 4


def test_an_rsa_key_that_this_process_made_is_not_checked_again() -> None:
    first, second = (KeyRing(MemoryRecords()).of("one").signer("RS256") for _ in range(2))
    assert first is second


def test_the_key_in_the_store_counts_also_under_the_id_of_a_key_that_this_process_made() -> None:
    store = MemoryRecords()
    made = KeyRing(store).of("one").signer("RS256")
    text = store.get("key", "one/signing", 0)
    assert text is not None
    other = {**generate_key("RS256").as_dict(is_private=True), "kid": made.kid}
    assert store.swap("key", "one/signing", text, json.dumps(other), expires_at=math.inf, now=0)
    read = KeyRing(store).of("one").signer("RS256")
    assert (read.kid, read.thumbprint() == made.thumbprint()) == (made.kid, False)


def test_a_bounded_number_of_old_keys_is_kept() -> None:
    ring = KeyRing(MemoryRecords())
    for _ in range(15):
        ring.rotate("one", "EdDSA")
    assert len([one for one in ring.of("one").signing if one.alg == "EdDSA"]) == 10


def test_keys_may_have_no_ids() -> None:
    world = Algorithms(settings=Settings(key_ids=False))
    token = world.login().json["id_token"]
    world.keys.rotate("one", "RS256")
    keys = world.at.keys.public_jwks()["keys"]
    assert "kid" not in unsafe_header(token)
    assert not any("kid" in key for key in keys)
    assert verify(token, {"keys": keys}, algorithms=["RS256"]).claims["sub"] == ALICE.sub


def test_userinfo_is_a_jwt_for_a_client_that_registered_an_algorithm() -> None:
    world = World(clients=(replace(APP, userinfo_signed_response_alg="ES256"),))
    answer = get_userinfo(world, world.login().json["access_token"])
    assert answer.header("content-type") == "application/jwt"
    claims = verify(answer.body.decode(), world.at.keys.public_jwks(), algorithms=["ES256"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, "app", ALICE.sub)


def test_claims_of_a_client_and_of_a_user_are_added_where_they_are_registered() -> None:
    ours: dict[str, Any] = {
        "access_token_claims": {"tier": "gold"},
        "id_token_claims": {"seen": 1},
        "userinfo_claims": {"pets": ["cat"]},
    }
    hers: dict[str, Any] = {
        "access_token_claims": {"tier": "platinum"},
        "id_token_claims": {"email": "other@example.org"},
    }
    world = World(clients=(replace(APP, **ours),), users=(replace(ALICE, **hers, userinfo_claims={"locale": "de"}),))
    tokens = world.login().json
    access, identity = (
        verify(tokens[name], world.at.keys.verifying, algorithms=["RS256"]).claims
        for name in ("access_token", "id_token")
    )
    told = json.loads(get_userinfo(world, tokens["access_token"]).body)
    assert (access["tier"], identity["seen"], identity["email"]) == ("platinum", 1, "other@example.org")
    assert (told["pets"], told["locale"], told["email"]) == (["cat"], "de", ALICE.email)
    assert "tier" not in identity | told
    assert "seen" not in access | told


@pytest.mark.parametrize("name", ["iss", "sub", "exp", "typ", "sid", "nonce"])
def test_no_registration_sets_a_claim_that_the_server_relies_on(name: str) -> None:
    with pytest.raises(UsageError, match="because the server sets it"):
        replace(ALICE, id_token_claims={name: "x"})


def introspected(world: World, token: str, *accept: str) -> Response:
    basic = base64.b64encode(f"app:{SECRET}".encode()).decode()
    sent = [("Accept", one) for one in accept]
    headers = (("Content-Type", FORM), ("Authorization", f"Basic {basic}"), *sent)
    request = Request("POST", ENDPOINTS.introspection, headers, (("token", token),))
    return run(introspect(request, world.at), world.perform)


@pytest.mark.parametrize("alg", [None, "EdDSA"])
def test_an_introspection_response_is_a_jwt_on_request(alg: str | None) -> None:
    world = World(clients=(replace(APP, audiences={"profile": "app"}, introspection_signed_response_alg=alg),))
    for token, active in ((world.login().json["access_token"], True), ("garbage", False)):
        answer = introspected(world, token, "application/json;q=0.5, application/token-introspection+jwt")
        assert answer.header("content-type") == "application/token-introspection+jwt"
        verified = verify(
            answer.body.decode(),
            world.at.keys.public_jwks(),
            algorithms=[alg or "RS256"],
            typ="token-introspection+jwt",
        )
        assert (verified.claims["iss"], verified.claims["aud"]) == (ISSUER, "app")
        assert verified.claims["token_introspection"]["active"] is active
        assert "sub" not in verified.claims  # RFC 9701 §5: so that it is no token itself
    assert introspected(world, "garbage", "application/json").header("content-type") == "application/json"
    assert (
        introspected(world, "g", "application/token-introspection+jwt;q=0").header("content-type") == "application/json"
    )


def test_a_response_in_a_form_of_its_own_is_no_token() -> None:
    world = World(clients=(replace(APP, audiences={"profile": "app"}, userinfo_signed_response_alg="RS256"),))
    tokens = world.login().json
    for token in (
        get_userinfo(world, tokens["access_token"]).body.decode(),
        introspected(world, tokens["access_token"], "application/token-introspection+jwt").body.decode(),
    ):
        assert get_userinfo(world, token).status == 401
        with pytest.raises(VerificationError, match="typ"):
            verify(token, world.at.keys.verifying, algorithms=["RS256"], typ="at+jwt")


JWT = "application/token-introspection+jwt"


@pytest.mark.parametrize(
    "weight", ["q=0", "q=0.", "q=0.0", "q=0.000", "Q=0.00", "q = 0", "charset=utf-8;q=0.0", 'x="a,;q=1";q=0']
)
@pytest.mark.parametrize("spaced", ["{0};{1}", "{0} ; {1}", "{0};\t{1} ", " {0} ;{1} , application/json;q=0.5"])
def test_a_jwt_of_weight_zero_is_refused_in_every_spelling(weight: str, spaced: str) -> None:
    answer = introspected(World(), "g", spaced.format(JWT, weight))
    assert answer.header("content-type") == "application/json"


@pytest.mark.parametrize(
    "accept",
    [
        (f"{JWT};q=0.001",),
        (f"{JWT} ; q=1.000",),
        (f"{JWT};q=0.5, application/json;q=0",),
        (JWT.upper(),),
        ("application/json", JWT),
        (f'{JWT};x=";q=0"',),
        (f'text/html;x="a,{JWT};q=0", {JWT}',),
    ],
)
def test_a_jwt_of_any_other_weight_is_accepted(accept: tuple[str, ...]) -> None:
    assert introspected(World(), "g", *accept).header("content-type") == JWT


@pytest.mark.parametrize("accept", [(), ("*/*",), ("application/*",), (f'text/html;x="a,{JWT}"',)])
def test_a_jwt_is_sent_only_to_a_client_that_names_its_type(accept: tuple[str, ...]) -> None:
    assert introspected(World(), "g", *accept).header("content-type") == "application/json"
