"""What the JWT bearer grant promises beyond the recorded answers of the real Keycloak."""

import hashlib
import hmac
import json
import threading
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims
from doorkey.protocol.grants import JWT_BEARER
from doorkey.server.model import Settings
from doorkey.server.registrations import TrustedIssuer, User
from doorkey.server.storage.effects import RevokeToken
from tests.server.world import ALICE, APP, ENDPOINTS, ISSUER, OTHER, SPA, Answer, World

KEY, STRANGER = generate_key("ES256"), generate_key("ES256")
ROBOTS = "https://robots.example"
FACTORY = "https://factory.example"
ROBOT = User(sub="sub-of-robot", username="robot", links={ROBOTS: "seven"})
MAX_AGE = 300


@pytest.fixture
def world() -> World:
    trusted = TrustedIssuer(issuer=ROBOTS, jwks={"keys": [KEY.public_jwk()]}, max_age=MAX_AGE)
    other = TrustedIssuer(issuer=FACTORY, jwks={"keys": [STRANGER.public_jwk()]})
    bearer = replace(APP, grants=APP.grants | {JWT_BEARER}, audiences={"profile": "app"})
    return World(Settings(trusted_issuers=(trusted, other)), (bearer, SPA, OTHER), (ALICE, ROBOT))


def assertion(world: World, key: object = KEY, alg: str = "ES256", /, **changes: object) -> str:
    now = int(world.now)
    claims = {"iss": ROBOTS, "sub": "seven", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "one", **changes}
    return sign({name: value for name, value in claims.items() if value is not None}, key, alg=alg)


def bring(world: World, text: str, **more: str) -> Answer:
    return world.token({"grant_type": JWT_BEARER, "assertion": text, **more})


def test_an_assertion_gives_a_token_about_the_linked_user_in_no_session(world: World) -> None:
    answer = bring(world, assertion(world), scope="openid")
    claims = unsafe_claims(answer.json["access_token"])
    assert (claims["sub"], claims["azp"]) == (ROBOT.sub, "app")
    assert unsafe_claims(answer.json["id_token"])["sub"] == ROBOT.sub
    assert not {"sid", "gid"} & set(claims)
    assert not {"refresh_token", "session_state"} & set(answer.json)


def test_the_token_is_active_until_it_expires_is_revoked_or_its_user_is_gone(world: World) -> None:
    tokens = [bring(world, assertion(world, jti=name)).json["access_token"] for name in ("a", "b")]
    assert all(world.is_active(token) for token in tokens)
    claims = unsafe_claims(tokens[0])
    world.perform(RevokeToken(claims["jti"], claims["exp"]))
    assert [world.is_active(token) for token in tokens] == [False, True]
    world.users = (ALICE,)
    assert not world.is_active(tokens[1])
    world.users = (ALICE, ROBOT)
    world.advance(60)
    assert not world.is_active(tokens[1])


def test_an_assertion_works_once_for_as_long_as_it_could_be_used(world: World) -> None:
    text = assertion(world, exp=int(world.now) + 100_000)
    assert bring(world, text).status == 200
    for seconds in (0, 1, MAX_AGE - 1):
        world.advance(seconds)
        assert bring(world, text).json["error_description"] == "Token reuse detected"
    world.advance(1)
    assert bring(world, text).json["error_description"].startswith("Token was issued too far in the past")


def test_of_many_threads_with_one_assertion_one_gets_a_token(world: World) -> None:
    text, together = assertion(world), threading.Barrier(64)

    def ask(_: int) -> int:
        together.wait()
        return bring(world, text).status

    with ThreadPoolExecutor(64) as pool:
        assert sorted(pool.map(ask, range(64))) == [200] + [400] * 63


def test_two_issuers_may_use_the_same_id(world: World) -> None:
    world.users = (ALICE, replace(ROBOT, links={ROBOTS: "seven", FACTORY: "seven"}))
    assert bring(world, assertion(world)).status == 200
    assert bring(world, assertion(world, STRANGER, iss=FACTORY)).status == 200


def test_an_issuer_speaks_for_its_own_users_only(world: World) -> None:
    assert bring(world, assertion(world, STRANGER, iss=FACTORY)).json["error_description"] == "User not found"
    assert bring(world, assertion(world, STRANGER)).json["error_description"] == "Invalid signature"
    assert bring(world, assertion(world, sub=ALICE.sub)).json["error_description"] == "User not found"
    assert bring(world, assertion(world, sub="alice")).json["error_description"] == "User not found"


def test_an_assertion_that_is_refused_is_not_used_up(world: World) -> None:
    text = assertion(world)
    assert bring(world, text, scope="no-such-scope").problem == (400, "invalid_scope")
    assert bring(world, text).status == 200


def test_a_user_without_a_password_cannot_log_in(world: World) -> None:
    for password in ("", "None", "null"):
        form = {"grant_type": "password", "username": "robot", "password": password}
        assert world.token(form).problem == (400, "invalid_grant")


def test_the_token_endpoint_may_be_the_audience_and_no_other_endpoint(world: World) -> None:
    assert bring(world, assertion(world, aud=ENDPOINTS.token)).status == 200
    wrong: tuple[object, ...] = (ENDPOINTS.revocation, ISSUER + "/", ISSUER.upper(), "", [], [ISSUER, ISSUER], {}, 7)
    for audience in wrong:
        assert bring(world, assertion(world, jti="two", aud=audience)).problem == (400, "invalid_grant")


ODD: tuple[tuple[str, list[object]], ...] = (
    ("exp", ["soon", True, -1, 1e300, []]),
    ("iat", ["now"]),
    ("nbf", [{}]),
    ("jti", ["", 7, []]),
    ("sub", [7, [], ""]),
    ("iss", [7, [ROBOTS], ROBOTS + "/"]),
)


@pytest.mark.parametrize("wrong", [{name: value} for name, values in ODD for value in values])
def test_odd_claims_are_refused_and_never_a_crash(world: World, wrong: dict[str, object]) -> None:
    assert bring(world, assertion(world, **wrong)).problem == (400, "invalid_grant")


def test_the_keys_in_an_assertion_are_never_used(world: World) -> None:
    claims = unsafe_claims(assertion(world))
    forged = sign(claims, STRANGER, alg="ES256", header={"jwk": STRANGER.public_jwk(), "kid": KEY.kid})
    assert bring(world, forged).json["error_description"] == "Invalid signature"


def test_a_public_key_is_no_shared_secret(world: World) -> None:
    header = urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": KEY.kid}).encode()).rstrip(b"=")
    signed = header + b"." + assertion(world).split(".")[1].encode()
    mac = hmac.new(json.dumps(KEY.public_jwk()).encode(), signed, hashlib.sha256).digest()
    forged = signed + b"." + urlsafe_b64encode(mac).rstrip(b"=")
    assert bring(world, forged.decode()).json["error_description"] == "Invalid signature algorithm"


def test_only_the_algorithms_named_for_an_issuer_count(world: World) -> None:
    (first, *_) = world.settings.trusted_issuers
    world.settings = Settings(trusted_issuers=(replace(first, algorithms=("RS256",)),))
    assert bring(world, assertion(world)).json["error_description"] == "Invalid signature"


def test_an_unfit_key_set_refuses_and_never_crashes(world: World) -> None:
    unfit: tuple[dict[str, object], ...] = ({}, {"keys": []}, {"keys": [{"kty": "oct", "k": "AAAA"}]})
    for jwks in unfit:
        world.settings = Settings(trusted_issuers=(TrustedIssuer(issuer=ROBOTS, jwks=jwks),))
        assert bring(world, assertion(world)).json["error_description"] == "Invalid signature"


TIMES: tuple[tuple[dict[str, int | None], str | None], ...] = (
    ({"exp": 1}, None),
    ({"exp": 0}, "Token is not active"),
    ({"nbf": 0}, None),
    ({"nbf": 1}, "Token is not active"),
    ({"iat": 0}, None),
    ({"iat": 1}, "Token was issued in the future"),
    ({"iat": -MAX_AGE, "exp": 60}, None),
    ({"iat": -MAX_AGE - 1, "exp": 60}, "Token was issued too far in the past to be used now"),
    ({"iat": None, "exp": MAX_AGE}, None),
    (
        {"iat": None, "exp": MAX_AGE + 1},
        "Token expiration is too far in the future and iat claim not present in token",
    ),
)


@pytest.mark.parametrize(("offsets", "refusal"), TIMES)
def test_the_times_of_an_assertion_are_checked_to_the_second(
    world: World, offsets: dict[str, int | None], refusal: str | None
) -> None:
    now = int(world.now)
    claims = {name: None if offset is None else now + offset for name, offset in offsets.items()}
    answer = bring(world, assertion(world, **claims))
    assert answer.json.get("error_description") == refusal
    assert answer.status == (400 if refusal else 200)


CLAIMS: tuple[tuple[dict[str, object], str], ...] = (
    ({"iss": None}, "Missing claim: iss"),
    ({"sub": None}, "Missing claim: sub"),
    ({"iss": "https://other.example"}, "No Identity Provider for provided issuer"),
    ({"sub": "eight"}, "User not found"),
    ({"exp": None}, "Token exp claim is required"),
    ({"exp": "soon"}, "Token exp claim is not a time"),
    ({"jti": None}, "Token jti claim is required"),
    ({"aud": None}, "Invalid token audience"),
    ({"aud": "https://other.example"}, "Invalid token audience"),
    ({"aud": [ISSUER, "https://other.example"]}, "Multiple audiences not allowed"),
    ({"iss": FACTORY}, "Invalid signature"),
)


@pytest.mark.parametrize(("claims", "refusal"), CLAIMS)
def test_a_refused_assertion_is_described(world: World, claims: dict[str, object], refusal: str) -> None:
    answer = bring(world, assertion(world, **claims))
    assert (answer.problem, answer.json["error_description"]) == ((400, "invalid_grant"), refusal)


def test_a_value_that_is_not_an_assertion_is_described(world: World) -> None:
    unsecured = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode() + ".e30."
    for text, refusal in (
        ("", "Missing parameter:assertion"),
        ("garbage", "The provided assertion is not a valid JWT"),
        ("a.b.c", "The provided assertion is not a valid JWT"),
        ("a.b.c.", "The provided assertion is not a valid JWT"),
        (unsecured, "Invalid signature algorithm"),
    ):
        answer = bring(world, text)
        assert (answer.problem, answer.json["error_description"]) == ((400, "invalid_grant"), refusal)


def test_only_a_confidential_client_with_the_grant_may_bring_an_assertion(world: World) -> None:
    form = {"grant_type": JWT_BEARER, "assertion": assertion(world)}
    others = world.token(form, ("other", "other-secret"))
    assert others.json["error_description"] == "JWT Authorization Grant is not supported for the requested client"
    world.clients = (replace(SPA, grants=SPA.grants | {JWT_BEARER}),)
    public = world.token({**form, "client_id": "spa"}, None)
    assert public.json["error_description"] == "Public client not allowed to use authorization grant"


def test_an_id_token_comes_only_with_openid_and_names_the_user(world: World) -> None:
    assert "id_token" not in bring(world, assertion(world)).json
    claims = unsafe_claims(bring(world, assertion(world, jti="two"), scope="openid").json["id_token"])
    assert (claims["sub"], claims["preferred_username"]) == (ROBOT.sub, "robot")


def test_an_unknown_scope_is_refused_and_uses_nothing_up(world: World) -> None:
    text = assertion(world)
    assert bring(world, text, scope="no-such-scope").problem == (400, "invalid_scope")
    assert bring(world, text).status == 200


def test_an_assertion_that_was_used_is_remembered_until_it_could_no_longer_be_used(world: World) -> None:
    text = assertion(world, iat=None, exp=int(world.now) + 100)
    assert bring(world, text).status == 200
    world.advance(99)
    assert bring(world, text).json["error_description"] == "Token reuse detected"
    world.advance(1)
    assert bring(world, text).json["error_description"] == "Token is not active"
