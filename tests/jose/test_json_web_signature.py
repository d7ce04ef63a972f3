"""`JsonWebSignature`: signed messages, by the calls of programs written for Authlib."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose import ECKey, JsonWebSignature, KeySet, OKPKey, jwt
from doorkey.jose.errors import BadSignatureError, DecodeError, UnsupportedAlgorithmError
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.jose.keys import Key
from doorkey.jose.verification import unsafe_header
from doorkey.values import Secret

KEY = ECKey.generate_key(options={"kid": "mine", "use": "sig"}, is_private=True)
OTHER = ECKey.generate_key(is_private=True)
SECRET = b"a secret of at least thirty-two bytes"


class Fetching(KeysOfIssuer):
    """A key source that has the right key after it fetched again."""

    def checked(self, check: Callable[[tuple[Key, ...]], Any]) -> Any:
        try:
            return check((OTHER,))
        except VerificationError:
            return check((KEY,))


class Awaiting(AsyncKeysOfIssuer):
    async def achecked(self, check: Callable[[tuple[Key, ...]], Any]) -> Any:
        return check((KEY,))


def test_a_message_comes_back_with_its_header_once_its_signature_is_verified() -> None:
    jws = JsonWebSignature(["ES256"])
    token = jws.serialize_compact({"alg": "ES256", "x": 1}, b"example", KEY)
    data = jws.deserialize_compact(token, KEY.as_dict())
    assert (data["payload"], data.payload) == (b"example", b"example")
    assert data["header"] == data.header == {"alg": "ES256", "kid": "mine", "x": 1}
    assert repr(data) == "<Deserialized alg='ES256'>"
    assert type(pickle.loads(pickle.dumps(data))) is dict  # noqa: S301  # a copy has passed no check
    assert repr(jws) == "<JsonWebSignature ES256>"


@pytest.mark.parametrize("payload", ["Zoë", "Zoë".encode(), b"\xff\x00", "{}", b"", ""])
def test_a_payload_is_any_bytes(payload: str | bytes) -> None:
    token = JsonWebSignature().serialize_compact({"alg": "ES256"}, payload, KEY)
    expected = payload.encode() if isinstance(payload, str) else payload
    assert JsonWebSignature().deserialize_compact(token, KEY).payload == expected


def test_an_empty_payload_is_an_empty_segment_which_no_claims_have() -> None:
    token = JsonWebSignature().serialize_compact({"alg": "ES256"}, b"", KEY)
    assert token.split(b".")[1] == b""
    for keys in GIVEN.values():
        assert JsonWebSignature().deserialize_compact(token, keys).payload == b""
        with pytest.raises(DecodeError, match="compact form"):
            jwt.decode(token, keys)
    other = JsonWebSignature().serialize_compact({"alg": "ES256"}, b"x", KEY)
    moved = b"..".join((token.split(b".")[0], other.split(b".")[2]))
    with pytest.raises(BadSignatureError):
        JsonWebSignature().deserialize_compact(moved, KEY)
    for form in (b"..", b"." + token, token[token.index(b".") :], token[: token.rindex(b".") + 1]):
        with pytest.raises(DecodeError, match="compact form"):
            JsonWebSignature().deserialize_compact(form, KEY)


def test_the_payload_is_decoded_by_the_programs_function() -> None:
    token = JsonWebSignature().serialize_compact({"alg": "ES256"}, b'{"a": 1}', KEY)
    assert JsonWebSignature().deserialize_compact(token, KEY, decode=json.loads).payload == {"a": 1}
    wrong: Any = "utf-8"
    with pytest.raises(UsageError, match="decode must be a function"):
        JsonWebSignature().deserialize_compact(token, KEY, decode=wrong)


def by_header(header: Any) -> Key:
    return {"mine": KEY}[header["kid"]]


GIVEN: dict[str, Any] = {
    "a key": KEY,
    "a JWK": KEY.as_dict(),
    "a JWK Set": {"keys": [OTHER.as_dict(), KEY.as_dict()]},
    "a KeySet": KeySet([OTHER, KEY]),
    "a function of the header": by_header,
    "a key source": Fetching(),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_the_keys_are_those_that_decode_accepts(kind: str) -> None:
    keys = GIVEN[kind]
    token = JsonWebSignature().serialize_compact({"alg": "ES256"}, b"example", KEY)
    assert JsonWebSignature().deserialize_compact(Secret(token.decode()), keys).payload == b"example"


def test_a_key_source_that_is_awaited_is_refused() -> None:
    token = JsonWebSignature().serialize_compact({"alg": "ES256"}, b"example", KEY)
    with pytest.raises(UsageError, match="AsyncKeySource"):
        JsonWebSignature().deserialize_compact(token, Awaiting())


def test_a_secret_is_for_an_hmac_that_is_registered_or_marked() -> None:
    token = JsonWebSignature(["HS256"]).serialize_compact({"alg": "HS256"}, b"example", SECRET)
    assert JsonWebSignature(["HS256"]).deserialize_compact(token, SECRET).payload == b"example"
    assert JsonWebSignature().deserialize_compact(token, Secret(SECRET.decode())).payload == b"example"
    with pytest.raises(UsageError, match="shared secret only if"):
        JsonWebSignature().deserialize_compact(token, SECRET)


def test_another_algorithm_key_or_form_is_refused() -> None:
    token = JsonWebSignature().serialize_compact({"alg": "ES256"}, b"example", KEY)
    with pytest.raises(UnsupportedAlgorithmError):
        JsonWebSignature(["RS256"]).deserialize_compact(token, KEY)
    with pytest.raises(BadSignatureError):
        JsonWebSignature().deserialize_compact(token, OTHER.as_dict(kid="mine"))
    for form in ('{"payload": "e30", "signatures": []}', token + b".", b"a.b.c.d.e", ""):
        with pytest.raises(DecodeError):
            JsonWebSignature().deserialize_compact(form, KEY)


@pytest.mark.parametrize(
    ("algorithms", "header", "payload"),
    [
        (None, {}, b"x"),
        (None, {"alg": None}, b"x"),
        (None, {"alg": "none"}, b"x"),
        (None, {"alg": "RS256"}, b"x"),
        (["RS256"], {"alg": "ES256"}, b"x"),
        (None, {"alg": "ES256", "crit": ["x"]}, b"x"),
        (None, {"alg": "ES256", "b64": False}, b"x"),
        (None, {"alg": "ES256", "x": float("nan")}, b"x"),
        (None, {"alg": "ES256", "x": object()}, b"x"),
        (None, {"alg": "ES256"}, {"sub": "alice"}),
        (None, {"alg": "ES256"}, "\ud800"),
        (None, [], b"x"),
    ],
)
def test_a_message_that_cannot_be_signed_is_an_error_of_the_program(algorithms: Any, header: Any, payload: Any) -> None:
    with pytest.raises(UsageError):
        JsonWebSignature(algorithms).serialize_compact(header, payload, KEY)


@pytest.mark.parametrize("algorithms", [[], ["none"], ["RSA-OAEP"], 5, [None]])
def test_other_algorithms_cannot_be_registered_for_signatures(algorithms: Any) -> None:
    with pytest.raises(UsageError):
        JsonWebSignature(algorithms)


SEVERAL = KeySet([OTHER.as_dict(), OKPKey.generate_key(is_private=True), OTHER, KEY])


SEVERAL_AS_DICT = {"keys": [key.as_dict(key.is_private) for key in SEVERAL]}


@pytest.mark.parametrize("keys", [SEVERAL, list(SEVERAL), SEVERAL_AS_DICT])
def test_of_several_keys_the_one_signs_that_is_named_or_fits(keys: object) -> None:
    jws = JsonWebSignature()
    assert jws.deserialize_compact(jws.serialize_compact({"alg": "ES256"}, b"x", SEVERAL), OTHER).payload == b"x"
    assert (
        jws.deserialize_compact(jws.serialize_compact({"alg": "ES256", "kid": "mine"}, b"x", keys), KEY).payload == b"x"
    )
    for encode in (jws.serialize_compact, jwt.encode):
        payload: Any = {"a": 1} if encode == jwt.encode else b"x"
        for header in ({"alg": "RS256"}, {"alg": "ES256", "kid": "other"}):
            with pytest.raises(UsageError, match="no key signs with"):
                encode(header, payload, keys)
        assert unsafe_header(encode({"alg": "EdDSA"}, payload, keys).decode())["kid"] == SEVERAL[1].kid
