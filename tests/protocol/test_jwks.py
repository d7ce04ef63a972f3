"""A published key set: the keys that are used, those that are skipped and why, and values that are no key set."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.errors import InvalidClient, InvalidResponse, OAuthError, TemporarilyUnavailable
from doorkey.jose.generation import generate_key
from doorkey.protocol.jwks import jwks_request, parse_jwks
from doorkey.wire.messages import Response

EC, RSA, OKP = (generate_key(alg) for alg in ("ES256", "RS256", "Ed25519"))
PUBLIC = [{**key.public_jwk(), "kid": name} for key, name in ((EC, "ec"), (RSA, "rsa"), (OKP, "okp"))]
SECRET = "c2VjcmV0LW9mLXRoZS1zZXJ2ZXItdGhhdC1pcy1sb25nLWVub3VnaA"


def answer(body: object, status: int = 200, media_type: str = "application/json") -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, (("Content-Type", media_type),), raw)


def test_the_request_asks_for_a_key_set() -> None:
    request = jwks_request("https://as.example/jwks")
    assert (request.method, request.url) == ("GET", "https://as.example/jwks")
    assert request.headers == (("Accept", "application/jwk-set+json, application/json"),)


def test_the_keys_of_every_kind_are_used() -> None:
    found = parse_jwks(answer({"keys": PUBLIC, "other": 1}))
    assert [(key.kid, key.kty) for key in found.keys] == [("ec", "EC"), ("rsa", "RSA"), ("okp", "OKP")]
    assert found.skipped == ()


def test_an_empty_set_has_no_keys() -> None:
    assert parse_jwks(answer({"keys": []})).keys == ()


MALFORMED: list[Any] = [
    *(None, 1, "text", [], True, {}, {"kty": None}, {"kty": 1}, {"kty": []}, {"kty": "XYZ"}, {"kty": "EC"}),
    {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
    {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
    {"kty": "EC", "crv": "P-000", "x": PUBLIC[0]["x"], "y": PUBLIC[0]["y"]},
    {"kty": "EC", "crv": "P-256", "x": PUBLIC[0]["y"], "y": PUBLIC[0]["x"]},
    {"kty": "EC", "crv": 5, "x": 5, "y": []},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    {"kty": "RSA", "n": "!", "e": "AQAB"},
    {"kty": "RSA", "n": {}, "e": None},
    {"kty": "RSA", "n": PUBLIC[1]["n"], "e": PUBLIC[1]["n"]},
    {"kty": "RSA", "n": "_" * 20_000, "e": "AQAB"},
    {"kty": "OKP", "crv": "Ed25519", "x": ""},
    {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    {**PUBLIC[0], "kid": 5},
    {**PUBLIC[0], "use": []},
    {**PUBLIC[0], "key_ops": "verify"},
    {**PUBLIC[0], "alg": 1},
    {**PUBLIC[0], "x5c": 5},
]


@pytest.mark.parametrize("odd", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_or_unsupported_key_leaves_the_others_in_use(odd: Any) -> None:
    found = parse_jwks(answer({"keys": [odd, PUBLIC[1]]}))
    assert [key.kid for key in found.keys][-1] == "rsa"
    assert len(found.keys) + len(found.skipped) == 2


PRIVATE: list[dict[str, Any]] = [
    *(key.as_dict(is_private=True) for key in (EC, RSA, OKP)),
    {"kty": "oct", "k": SECRET},
    {"kty": "oct"},
    {"kty": "oct", "k": 5},
    {"kty": "EC", "d": "broken"},
    {**PUBLIC[0], "k": SECRET},
]


@pytest.mark.parametrize("private", PRIVATE, ids=range(len(PRIVATE)))
def test_a_private_or_symmetric_key_is_skipped_and_the_reason_does_not_show_it(private: dict[str, Any]) -> None:
    found = parse_jwks(answer({"keys": [PUBLIC[0], {**private, "kid": "theirs"}]}))
    assert [key.kid for key in found.keys] == ["ec"]
    (line,) = found.skipped
    assert line.startswith("key 1 (kid 'theirs'): it is private or symmetric")
    assert [value for value in private.values() if isinstance(value, str) and len(value) > 5 and value in line] == []


def test_the_id_of_a_skipped_key_is_printable_and_short() -> None:
    (line,) = parse_jwks(answer({"keys": [{"kty": "XYZ", "kid": "\x1b[2J\n" + "k" * 10_000}]})).skipped
    assert line.isprintable()
    assert len(line) < 200


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (answer(b"<html>not here</html>", media_type="text/html"), "not_json"),
        (answer(b""), "empty"),
        (answer([]), "not_an_object"),
        (answer({}), "key_set"),
        (answer({"keys": {}}), "key_set"),
        (answer({"keys": "all of them"}), "key_set"),
        (answer(PUBLIC[0]), "key_set"),
        (answer(b'{"keys": [], "keys": []}'), "duplicate_member"),
        (answer(b'{"keys": ' + b"[" * 40 + b"]" * 40 + b"}"), "too_deep"),
        (answer({"keys": PUBLIC}, 404), "status"),
        (answer({"keys": PUBLIC}, 500), "status"),
        (answer({"keys": [PUBLIC[0]] * 101}), "too_many_keys"),
    ],
)
def test_a_value_that_is_not_a_key_set_is_an_error_with_its_reason(response: Response, problem: str) -> None:
    with pytest.raises(InvalidResponse) as error:
        parse_jwks(response)
    assert error.value.problem == problem


def test_an_oauth_error_is_raised_as_what_it_is() -> None:
    with pytest.raises(InvalidClient):
        parse_jwks(answer({"error": "invalid_client"}, 401))
    busy = Response(503, (("Retry-After", "Fri, 15 Jan 2027 08:00:05 GMT"),), b"busy")
    with pytest.raises(TemporarilyUnavailable) as error:
        parse_jwks(busy, 1_800_000_000.0)
    assert error.value.retry_after == 5


def test_a_hundred_thousand_keys_are_an_error_before_any_of_them_is_read() -> None:
    body = b'{"keys": [' + b",".join([b'{"kty":"oct","k":"AAAA"}'] * 100_000) + b"]}"
    with pytest.raises(InvalidResponse, match="100000 keys, more than 100") as error:
        parse_jwks(answer(body))
    assert error.value.problem == "too_many_keys"


JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
MEMBERS = ("kty", "crv", "x", "y", "n", "e", "d", "k", "kid", "use", "alg", "key_ops", "x5c")
VALUES = JSON | st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "AQAB"])


@st.composite
def odd_sets(draw: st.DrawFn) -> bytes:
    """JWK Sets whose keys are nearly good ones."""
    keys: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 4))):
        base: dict[str, Any] = draw(st.sampled_from([{}, *PUBLIC]))
        keys.append({**base, **draw(st.dictionaries(st.sampled_from(MEMBERS), VALUES))})
    return json.dumps({"keys": keys}).encode()


@given(st.binary(max_size=200) | odd_sets())
def test_whatever_bytes_arrive_the_result_is_keys_or_an_error_of_ours(body: bytes) -> None:
    try:
        found = parse_jwks(answer(body))
    except OAuthError:
        return
    assert all(key.kty in ("RSA", "EC", "OKP") for key in found.keys)
    assert all(line.isprintable() for line in found.skipped)
