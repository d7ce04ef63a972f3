"""Access tokens that are JWTs: what is accepted, and what is rejected with which error (RFC 9068 §4)."""

import copy
import json
import pickle
from base64 import urlsafe_b64encode
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey import TransportError, UsageError
from doorkey.errors import InvalidResponse, OAuthError, ServerError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.resource import (
    AccessTokenVerifier,
    AsyncAccessTokenVerifier,
    InvalidAccessToken,
    RequestRejected,
    TrustedIssuer,
)
from tests.support.fake_clock import START, Clock
from tests.support.resource_server import (
    API,
    ISSUER,
    KEY,
    OTHER_KEY,
    Api,
    Apis,
    Net,
    Server,
    claims,
    page,
    public_jwk,
    token,
)
from tests.support.tracebacks import local_variables

WELL_KNOWN = "/.well-known/openid-configuration"


def rejected(api: Api, text: str, **options: Any) -> InvalidAccessToken:
    with pytest.raises(InvalidAccessToken) as caught:
        api.verify(text, **options)
    return caught.value


def test_a_token_of_the_issuer_for_this_api_is_accepted(api: Api) -> None:
    found = api.verify(token(scope="orders:read orders:write", groups=["a"]))
    assert (found.issuer, found.sub, found.client_id) == (ISSUER, "alice", "app")
    assert found.scopes.tokens == ("orders:read", "orders:write")
    assert found.has_scope("orders:read")
    assert not found.has_scope("orders:read", "admin")
    assert (found.audience, found.expires_at) == ((API,), START + 300)
    assert found.claims["groups"] == ["a"]


def test_a_token_that_another_key_signed_is_rejected(api: Api) -> None:
    assert rejected(api, token(OTHER_KEY)).claim == "signature"
    assert rejected(api, token(OTHER_KEY, kid="2")).claim == "kid"


def test_a_token_is_rejected_if_one_bit_of_it_is_changed(api: Api) -> None:
    head, body, signature = token().split(".")
    forged = urlsafe_b64encode(json.dumps(claims(sub="mallory")).encode()).decode().rstrip("=")
    assert rejected(api, f"{head}.{forged}.{signature}").claim == "signature"
    assert api.verify(f"{head}.{body}.{signature}").sub == "alice"


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_an_algorithm_without_a_published_key_is_rejected(api: Api, alg: str) -> None:
    header = urlsafe_b64encode(json.dumps({"alg": alg, "typ": "at+jwt", "kid": "1"}).encode()).decode().rstrip("=")
    assert rejected(api, f"{header}.{token().split('.')[1]}.AAAA").claim == "alg"


def test_only_the_algorithms_that_the_program_names_are_accepted(apis: Apis) -> None:
    assert rejected(apis(ISSUER, audience=API, algorithms="RS256"), token()).claim == "alg"
    assert apis(ISSUER, audience=API, algorithms=["RS256", "ES256"]).verify(token()).sub == "alice"


def test_an_id_token_is_never_an_access_token(apis: Apis) -> None:
    id_token = {"typ": "JWT", "aud": API, "nonce": "n", "at_hash": "h"}
    assert rejected(apis(), token(**id_token)).claim == "typ"
    assert rejected(apis(ISSUER, audience=API, profile="auth0"), token(**id_token)).claim == "nonce"


@pytest.mark.parametrize(
    ("wrong", "claim"),
    [
        ({"aud": "https://other.example"}, "aud"),
        ({"aud": None}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"sub": None}, "sub"),
        ({"client_id": None}, "client_id"),
        ({"iat": int(START) + 3600}, "iat"),
        ({"nbf": int(START) + 3600}, "nbf"),
    ],
)
def test_each_claim_is_checked(api: Api, wrong: dict[str, Any], claim: str) -> None:
    assert rejected(api, token(**wrong)).claim == claim


def test_a_clock_that_is_off_by_an_hour_is_named_in_the_error(apis: Apis) -> None:
    error = rejected(apis(), token(exp=int(START) - 3600))
    assert "3600 seconds ago" in error.reason
    assert "clock" in error.reason
    error = rejected(apis(), token(iat=int(START) + 3600, exp=int(START) + 7200))
    assert "3600 seconds in the future" in error.reason


def test_the_leeway_is_an_option(apis: Apis) -> None:
    late = token(exp=int(START) - 100)
    assert rejected(apis(), late).claim == "exp"
    assert apis(ISSUER, audience=API, leeway=101).verify(late).sub == "alice"


@pytest.mark.parametrize("issuer", ["https://mallory.example", f"{ISSUER}/", "", 5, None])
def test_a_token_of_an_issuer_that_is_not_listed_causes_no_request(api: Api, server: Server, issuer: Any) -> None:
    error = rejected(api, token(issuer=issuer))
    assert (error.claim, error.expected) == ("iss", ISSUER)
    assert server.requests == []


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.b", "é", "a b", "x" * 70_000, "\ud800", "..", "a.b.c.d.e"])
def test_text_that_is_no_jwt_is_rejected_without_a_request(api: Api, server: Server, text: str) -> None:
    assert rejected(api, text).status == 401
    assert server.requests == []


def test_a_token_with_its_scheme_is_rejected_by_an_error_that_says_so(api: Api) -> None:
    assert "without its scheme" in rejected(api, f"Bearer {token()}").reason
    assert "scheme" not in rejected(api, "a b").reason


@pytest.mark.parametrize("value", [None, b"a.b.c", 5, ["a"]])
def test_a_token_that_is_no_text_is_an_error_of_the_program(api: Api, value: Any) -> None:
    with pytest.raises(UsageError, match="the access token must be text"):
        api.verify(value)


def test_keys_are_fetched_once_for_many_tokens(api: Api, server: Server) -> None:
    for number in range(5):
        api.verify(token(jti=str(number)))
    assert server.paths.count("/jwks_uri") == 1


def test_keys_are_fetched_again_after_a_rotation(api: Api, server: Server, clock: Clock) -> None:
    api.verify(token())
    server.keys = [public_jwk(OTHER_KEY, "2")]
    clock.advance(60)
    assert api.verify(token(OTHER_KEY, "2", exp=int(START) + 600)).sub == "alice"
    assert server.paths.count("/jwks_uri") == 2


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/jwks_uri", page({}, 500), InvalidResponse),
        ("/jwks_uri", page("<html>"), InvalidResponse),
        ("/jwks_uri", page({}, 503), ServerError),
        (WELL_KNOWN, page({"issuer": "https://other.example"}), VerificationError),
        (WELL_KNOWN, page({"issuer": ISSUER, "token_endpoint": f"{ISSUER}/t"}), InvalidResponse),
    ],
)
def test_a_server_that_fails_is_not_the_fault_of_the_token(
    api: Api, server: Server, path: str, answer: Any, error: type[OAuthError]
) -> None:
    server.instead[path] = lambda _: answer
    with pytest.raises(error) as caught:
        api.verify(token())
    assert not isinstance(caught.value, RequestRejected)


def test_a_token_is_not_blamed_for_newer_keys_that_cannot_be_fetched(api: Api, server: Server, clock: Clock) -> None:
    api.verify(token())
    clock.advance(60)

    def down(request: httpx2.Request) -> Any:
        raise httpx2.ConnectError("no connection", request=request)

    server.instead["/jwks_uri"] = down
    with pytest.raises(TransportError):
        api.verify(token(OTHER_KEY, "2"))
    assert api.verify(token(jti="another")).sub == "alice"


def test_several_issuers_are_separate(apis: Apis, server: Server) -> None:
    other = Server("https://other.example")
    other.keys = [public_jwk(OTHER_KEY, "1")]
    trusted = TrustedIssuer(other.issuer, audience="orders", profile="keycloak")
    api = apis([TrustedIssuer(ISSUER, audience=API), trusted], servers=(other,))
    theirs = {"issuer": other.issuer, "typ": "JWT", "aud": "orders", "azp": "web"}
    keycloak = sign({**claims(**theirs), "typ": "Bearer"}, OTHER_KEY, alg="ES256", header={"kid": "1", "typ": "JWT"})

    assert api.verify(token()).issuer == ISSUER
    assert other.requests == []
    assert api.verify(keycloak).client_id == "web"
    assert api.native.issuers == (ISSUER, other.issuer)
    # Neither the keys nor the audience nor the profile of one issuer is good for the other.
    assert rejected(api, token(OTHER_KEY)).claim == "signature"
    assert rejected(api, token(KEY, issuer=other.issuer, typ="JWT", aud="orders")).claim == "signature"
    assert rejected(api, token(OTHER_KEY, issuer=other.issuer, typ="JWT")).claim in ("typ", "aud")
    assert rejected(api, token(aud="orders")).claim == "aud"


def test_a_verified_token_is_not_verified_again_until_its_time_is_over(
    apis: Apis, server: Server, clock: Clock
) -> None:
    api, text = apis(ISSUER, audience=API, cache_for=100), token(exp=int(START) + 1000)
    first = api.verify(text)
    server.keys = []
    clock.advance(99)
    assert api.verify(text) is first
    clock.advance(1)
    assert api.verify(text) is not first  # by the keys, which are kept for longer


def test_no_kept_token_outlives_its_expiry(apis: Apis, clock: Clock) -> None:
    api, text = apis(ISSUER, audience=API, leeway=0), token(exp=int(START) + 10)
    api.verify(text)
    clock.advance(9.9)
    api.verify(text)
    clock.advance(0.1)
    assert rejected(api, text).claim == "exp"


def test_a_clock_that_was_set_back_ends_what_is_kept(api: Api, clock: Clock) -> None:
    text = token()
    api.verify(text)
    clock.advance(-3600)
    assert rejected(api, text).claim == "iat"


def test_kept_tokens_are_bounded(apis: Apis) -> None:
    api = apis(ISSUER, audience=API, cache_entries=4)
    first = token(jti="first")
    kept = api.verify(first)
    for number in range(20):
        api.verify(token(jti=str(number)))
        assert len(api.native._core._cache) <= 4
    assert api.verify(first) is not kept


def test_the_claims_that_requests_share_cannot_be_changed(api: Api) -> None:
    found = api.verify(token(realm_access={"roles": ["user"]}))
    shared: Any = found.claims
    roles = shared["realm_access"]["roles"]
    for change, arguments in (
        (shared.update, [{"sub": "mallory"}]),
        (shared["realm_access"].clear, []),
        (roles.append, ["admin"]),
        (roles.__setitem__, [0, "admin"]),
        (roles.sort, []),
    ):
        with pytest.raises(UsageError, match="read-only"):
            change(*arguments)
    assert json.loads(json.dumps(shared))["realm_access"] == {"roles": ["user"]}
    for twin in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301
        twin.claims["realm_access"]["roles"].append("own copy")
    assert found.claims["realm_access"]["roles"] == ["user"]


def test_neither_token_nor_personal_claims_are_shown(api: Api) -> None:
    text = token(email="alice@example.com", sub="alice-5ba5")
    found = api.verify(text)
    for shown in (repr(found), str(found), repr(found.claims), f"{found.claims}"):
        assert "alice" not in shown
        assert text not in shown
    assert hash(found) == hash(api.verify(text))


def test_errors_show_neither_the_token_nor_its_claims(api: Api) -> None:
    text = token(OTHER_KEY, sub="alice-5ba5")
    error = rejected(api, text)
    assert text not in local_variables(error)
    assert "alice-5ba5" not in local_variables(error)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"audience": ""},
        {"audience": ["api", ""]},
        {"audience": API, "algorithms": "HS256"},
        {"audience": API, "algorithms": ()},
        {"audience": API, "algorithms": "none"},
        {"audience": API, "profile": "okta"},
        {"audience": API, "leeway": 7200},
        {"audience": API, "cache_entries": 0},
        {"audience": API, "cache_for": -1},
        {"audience": API, "introspection": "secret"},
        {"audience": API, "clock": 5},
    ],
)
@pytest.mark.parametrize("kind", [AccessTokenVerifier, AsyncAccessTokenVerifier])
def test_a_verifier_that_would_not_check_is_refused(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        kind(ISSUER, **options)


@pytest.mark.parametrize("issuer", [[], 5, None, [ISSUER, ISSUER], "http://as.example", [None], {"a": 1}])
@pytest.mark.parametrize("kind", [AccessTokenVerifier, AsyncAccessTokenVerifier])
def test_the_issuers_are_named_once_each(kind: Any, issuer: Any) -> None:
    with pytest.raises(UsageError):
        kind(issuer, audience=API)


def test_a_verifier_closes_the_clients_that_it_made() -> None:
    with AccessTokenVerifier(ISSUER, audience=API) as verifier:
        assert verifier.issuers == (ISSUER,)


@pytest.mark.anyio
async def test_an_asynchronous_verifier_closes_the_clients_that_it_made() -> None:
    async with AsyncAccessTokenVerifier(ISSUER, audience=API) as verifier:
        assert verifier.issuers == (ISSUER,)


SEGMENTS = st.text(alphabet="ABCabc_-019", min_size=1, max_size=8)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
NAMES = ["iss", "aud", "exp", "iat", "nbf", "sub", "scope", "cnf", "acr", "auth_time", "typ", "client_id"]
VERIFIER = Api(None, Net(Server()), Clock(), ISSUER, audience=API)


@given(st.text() | st.builds("{}.{}.{}".format, SEGMENTS, SEGMENTS, SEGMENTS))
def test_any_text_is_a_token_or_a_typed_error(text: str) -> None:
    with pytest.raises(InvalidAccessToken):
        VERIFIER.verify(text)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_claims_that_the_issuer_signs_are_accepted_or_a_typed_error(changed: dict[str, Any]) -> None:
    try:
        text = token(**changed)
    except OAuthError:  # what JSON cannot hold is not signed either
        return
    try:
        VERIFIER.verify(text, scopes="orders:read", acr="gold", max_age=60)
    except RequestRejected as error:
        assert error.challenge().isascii()  # noqa: PT017


def test_keys_of_other_algorithms_verify_too(apis: Apis, server: Server) -> None:
    for number, alg in enumerate(("RS256", "PS256", "EdDSA")):
        key = generate_key(alg)
        server.keys = [public_jwk(key, "1")]
        text = sign(claims(jti=str(number)), key, alg=alg, header={"kid": "1", "typ": "at+jwt"})
        assert apis().verify(text).sub == "alice"
