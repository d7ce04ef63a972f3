import copy
import json
import pickle
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import settings
from hypothesis import strategies as st

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose import JsonWebKey, JsonWebToken, JWTClaims, jwt
from doorkey.jose.generation import generate_key, private_jwk
from doorkey.jose.keys import import_key
from doorkey.jose.verification import unsafe_header
from doorkey.values import Secret
from tests.jose.test_verification import hs256

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
EC = generate_key("ES256")
OTHER = generate_key("ES256")
SECRET = "s" * 64
OCT = {"kty": "oct", "k": urlsafe_b64encode(SECRET.encode()).rstrip(b"=").decode()}
ES256 = {"alg": "ES256"}
PUBLIC = EC.public_jwk()
GOOD = jwt.encode(ES256, {"sub": "a"}, EC)


def by_kid(header: Mapping[str, Any]) -> object:
    return {"keys": [PUBLIC]} if header["kid"] == EC.kid else {}


def always(key: object) -> Callable[[Mapping[str, Any]], object]:
    return lambda _: key


def refused(token: Any, key: object, algorithms: list[str] | None = None) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        JsonWebToken(algorithms).decode(token, key)
    return caught.value


def test_an_encoded_value_decodes_to_itself() -> None:
    token = jwt.encode({"alg": "RS256", "kid": "one"}, {"iss": "https://as.example", "n": 1}, RSA)
    claims = jwt.decode(token, PEM)
    assert isinstance(claims, JWTClaims)
    assert claims == {"iss": "https://as.example", "n": 1}
    assert claims.header == {"alg": "RS256", "typ": "JWT", "kid": "one"}
    assert jwt.decode(token.decode(), PEM) == jwt.decode(Secret(token.decode()), PEM) == claims


def test_times_may_be_datetimes() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    claims = jwt.decode(jwt.encode(ES256, {"exp": moment, "iat": moment.replace(tzinfo=None)}, EC), EC)
    assert claims.exp == claims.iat == 1893456000


@pytest.mark.parametrize(
    "key",
    [
        pytest.param({"keys": [OTHER.public_jwk(), PUBLIC]}, id="a set as it was fetched"),
        pytest.param(json.dumps({"keys": [PUBLIC]}), id="the text of a set"),
        pytest.param(json.dumps({"keys": [PUBLIC]}).encode(), id="the bytes of a set"),
        pytest.param(JsonWebKey.import_key_set({"keys": [PUBLIC]}), id="a set that was read"),
        pytest.param([OTHER, PUBLIC], id="a list"),
        pytest.param(PUBLIC, id="a JWK"),
        pytest.param(json.dumps(PUBLIC), id="the text of a JWK"),
        pytest.param(JsonWebKey.import_key(PUBLIC), id="a key that was read"),
        pytest.param(by_kid, id="a function"),
    ],
)
def test_keys_come_in_every_form_that_programs_have(key: object) -> None:
    assert jwt.decode(GOOD, key).sub == "a"


def test_the_error_says_why_a_key_function_gets_no_claims() -> None:
    def two(header: Mapping[str, Any], payload: Mapping[str, Any]) -> object:
        raise AssertionError((header, payload))

    with pytest.raises(UsageError, match=r"must accept one argument, the token's header.*unsafe_claims"):
        jwt.decode(GOOD, two)


def test_odd_private_and_symmetric_keys_of_a_fetched_set_are_ignored() -> None:
    private = json.loads(private_jwk(EC).reveal())
    keys = {"keys": [{"kty": "AKP"}, "text", {}, OCT, private]}
    assert refused(GOOD, keys).claim == "alg"
    assert refused(hs256({"alg": "HS256"}, {"sub": "a"}), keys).claim == "alg"
    assert jwt.decode(GOOD, {"keys": [*keys["keys"], PUBLIC]}) == {"sub": "a"}


def test_the_algorithm_comes_from_the_registration_and_never_from_the_token() -> None:
    token = jwt.encode({"alg": "RS512"}, {}, RSA)
    assert JsonWebToken(["RS256", "RS512"]).decode(token, PEM) == {}
    assert refused(token, PEM, ["RS256"]).claim == "alg"
    assert refused(token, PEM, ["HS256", "ES256"]).claim == "alg"


def test_without_a_registration_the_algorithms_follow_from_the_keys() -> None:
    rsa_jwk = import_key(PEM).public_jwk()
    for alg in ("RS256", "PS512"):
        token = jwt.encode({"alg": alg}, {}, RSA)
        assert jwt.decode(token, rsa_jwk) == {}
        assert jwt.decode(token, {**rsa_jwk, "alg": alg}) == {}
        assert refused(token, {**rsa_jwk, "alg": "RS384"}).claim == "alg"
        assert refused(token, {**rsa_jwk, "use": "enc"}).claim == "alg"
        assert refused(token, PUBLIC).claim == "alg"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, ["none"]])
def test_none_is_never_an_algorithm(alg: object) -> None:
    token = hs256({"alg": alg}, {"sub": "a"})
    for key in (PEM, PUBLIC, {"keys": [PUBLIC]}, OCT, Secret(SECRET)):
        assert refused(token, key).claim == "alg"
    with pytest.raises(UsageError):
        JsonWebToken(["none"])
    with pytest.raises(UsageError):
        jwt.encode({"alg": alg}, {}, EC)


def test_a_shared_secret_verifies_where_it_is_given_as_one() -> None:
    token = jwt.encode({"alg": "HS256"}, {"sub": "a"}, SECRET)
    explicit: list[object] = [OCT, Secret(SECRET), JsonWebKey.import_key(SECRET), [Secret(SECRET)], always(OCT)]
    for key in explicit:
        assert jwt.decode(token, key) == {"sub": "a"}
    assert JsonWebToken(["HS256"]).decode(token, Secret(SECRET)) == {"sub": "a"}


@pytest.mark.parametrize(
    "fetched",
    ["https://as.example/realms/master/certs", "<html>502 Bad Gateway</html> and more text", '{"error": "x"}'],
)
def test_a_text_that_is_no_key_is_never_an_hmac_secret_by_itself(fetched: str) -> None:
    token = hs256({"alg": "HS256"}, {"sub": "mallory"}, fetched)
    given: list[object] = [fetched, fetched.encode(), [fetched], always(fetched)]
    for key in given:
        with pytest.raises(UsageError, match=r"JsonWebToken\(\[\"HS256\"\]\)"):
            jwt.decode(token, key)


def test_a_public_key_in_any_encoding_is_never_an_hmac_secret() -> None:
    der = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for public in (PEM.decode(), json.dumps(PUBLIC), der.decode("latin-1")):
        token = hs256({"alg": "HS256"}, {"sub": "mallory"}, public)
        for key in (public, public.encode(), der):
            for algorithms in (None, ["HS256"], ["RS256", "ES256", "HS256"]):
                with pytest.raises((VerificationError, UsageError)):
                    JsonWebToken(algorithms).decode(token, key)


def test_a_secret_that_is_too_short_is_named_as_such() -> None:
    with pytest.raises(UsageError, match="at least 32 bytes"):
        jwt.decode(GOOD, Secret("short"))


def test_keys_in_the_token_are_never_used() -> None:
    header = {**ES256, "jwk": OTHER.public_jwk(), "jku": "https://evil.example/", "kid": EC.kid}
    assert refused(jwt.encode(header, {}, OTHER), {"keys": [PUBLIC]}).claim == "signature"


def test_a_jwe_is_never_taken_for_a_jws() -> None:
    assert refused(".".join([GOOD.decode().split(".")[0], "", "AAAA", "AAAA", "AAAA"]), PUBLIC).claim == "token"


@pytest.mark.parametrize("token", ["", "a.b.c", b"\xff.\xff.\xff", "é.é.é", "\udcff", "x" * 70_000, GOOD + b"\n"])
def test_only_the_legal_form_is_read(token: object) -> None:
    assert refused(token, PUBLIC).claim in ("token", "header")


def test_a_changed_token_is_refused() -> None:
    head, _, signature = GOOD.decode().split(".")
    body = urlsafe_b64encode(b'{"sub":"mallory"}').rstrip(b"=").decode()
    assert refused(f"{head}.{body}.{signature}", PUBLIC).claim == "signature"


@pytest.mark.parametrize(
    "call",
    [
        lambda: jwt.decode(cast(Any, None), PUBLIC),
        lambda: jwt.decode(GOOD, None),
        lambda: jwt.decode(GOOD, "\udcff{"),
        lambda: jwt.decode(GOOD, '{"keys": '),
        lambda: jwt.decode(GOOD, [PUBLIC, OCT]),
        lambda: jwt.decode(GOOD, dict),
        lambda: jwt.decode(GOOD, JsonWebKey),
        lambda: jwt.decode(GOOD, PUBLIC, claims_cls=cast(Any, dict)),
        lambda: jwt.decode(GOOD, PUBLIC, claims_cls=cast(Any, "CodeIDToken")),
        lambda: jwt.decode(GOOD, PUBLIC, claims_options=cast(Any, ["iss"])),
        lambda: JsonWebToken([]),
        lambda: JsonWebToken(""),
        lambda: JsonWebToken(cast(Any, 5)),
        lambda: JsonWebToken(cast(Any, [["RS256"]])),
        lambda: JsonWebToken(["RS257"]),
        lambda: jwt.encode({}, {}, EC),
        lambda: jwt.encode(cast(Any, "ES256"), {}, EC),
        lambda: jwt.encode(ES256, cast(Any, "claims"), EC),
        lambda: jwt.encode(ES256, {"exp": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))}, EC),
        lambda: jwt.encode({"alg": "RS256"}, {}, EC),
        lambda: jwt.encode(ES256, {}, PUBLIC),
        lambda: JsonWebToken("RS256").encode(ES256, {}, EC),
    ],
)
def test_a_wrong_call_is_a_typed_error(call: Any) -> None:
    with pytest.raises(UsageError):
        call()


KEYS = st.one_of(st.text(), st.binary(), st.none(), st.dictionaries(st.text(), st.text()), st.lists(st.text()))


@settings(deadline=None, max_examples=200)
@hypothesis.given(
    st.one_of(st.text(), st.binary(), st.from_regex(r"[A-Za-z0-9_-]{1,9}(\.[A-Za-z0-9_-]{1,9}){2}")), KEYS
)
def test_no_builtin_error_comes_of_any_token_or_key(token: str | bytes, key: object) -> None:
    for keys in (key, PUBLIC):
        with pytest.raises(OAuthError):
            jwt.decode(token, keys)


def test_claims_show_no_value_and_cannot_be_changed() -> None:
    claims = jwt.decode(jwt.encode(ES256, {"sub": "alice", "email": "alice@example.org"}, EC), PUBLIC)
    assert str(claims) == repr(claims) == f"{claims}" == "<JWTClaims with email, sub>"
    assert (repr(jwt), repr(JsonWebToken(["RS256"]))) == ("<JsonWebToken by the keys>", "<JsonWebToken RS256>")
    for change in (
        lambda: claims.update(sub="mallory"),
        lambda: claims.__setitem__("sub", "mallory"),
        lambda: claims.pop("sub"),
        claims.clear,
    ):
        with pytest.raises(UsageError, match=r"dict\(claims\)"):
            change()
    assert json.loads(json.dumps(claims)) == dict(claims) == claims.copy()
    with pytest.raises(TypeError):
        cast(Any, claims.header)["alg"] = "none"


def test_a_copy_that_comes_from_elsewhere_is_a_dictionary_that_passed_no_check() -> None:
    claims = jwt.decode(GOOD, PUBLIC)
    for twin in (pickle.loads(pickle.dumps(claims)), copy.deepcopy(claims)):  # noqa: S301  # our own
        assert type(twin) is dict
        assert twin == {"sub": "a"}


def test_registered_claims_are_attributes_and_others_are_not() -> None:
    claims = jwt.decode(jwt.encode(ES256, {"sub": "a", "mine": 1}, EC), PUBLIC)
    assert (claims.sub, claims.iss, claims.get("mine")) == ("a", None, 1)
    assert not hasattr(claims, "mine")


def test_the_header_tells_the_key_that_signed() -> None:
    assert unsafe_header(GOOD.decode()) == {"alg": "ES256", "typ": "JWT", "kid": EC.kid}


@pytest.mark.parametrize("fetched", [{"error": "server_error"}, {}, {"message": "rate limit exceeded"}])
def test_an_error_document_in_place_of_keys_is_named_as_such(fetched: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="the value supplied as keys is not a key set") as caught:
        jwt.decode(GOOD, fetched)
    assert all(name in str(caught.value) for name in fetched)
    assert "rate limit" not in str(caught.value)
