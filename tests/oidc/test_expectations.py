"""All that a login knows about its ID token, as one value."""

import base64
import json
from typing import Any

import pytest

from doorkey.errors import VerificationError
from doorkey.jose.verification import VerifiedToken
from doorkey.oidc.core import CodeIDToken, HybridIDToken, ImplicitIDToken
from doorkey.oidc.core.expectations import ExpectedIDToken
from doorkey.oidc.core.hashes import half_hash
from doorkey.oidc.core.unsigned import is_unsigned, read_unsigned
from doorkey.values import Secret
from tests.support.id_tokens import CLIENT, ISSUER, LOGIN, NOW, claims

NONCE = Secret(str(LOGIN["nonce"]))


def check(members: dict[str, Any], **expected: Any) -> Any:
    usual: dict[str, Any] = {"issuer": ISSUER, "client_id": CLIENT, "nonce": NONCE}
    login = ExpectedIDToken(**{**usual, **expected})
    return login.checked(VerifiedToken({"alg": "ES256"}, members), NOW)


def refused(members: dict[str, Any], **expected: Any) -> str:
    with pytest.raises(VerificationError) as error:
        check(members, **expected)
    return error.value.claim


def test_everything_that_was_sent_is_compared() -> None:
    good = claims(acr="2", auth_time=NOW, at_hash=half_hash("at", "ES256"), s_hash=half_hash("st", "ES256"))
    sent = {"access_token": Secret("at"), "state": Secret("st"), "max_age": 0, "acr_values": ("1", "2")}
    assert check(good, **sent).sub == good["sub"]
    assert refused({**good, "nonce": "another"}, **sent) == "nonce"
    assert refused({**good, "acr": "3"}, **sent) == "acr"
    assert refused({name: value for name, value in good.items() if name != "acr"}, **sent) == "acr"
    assert refused({**good, "auth_time": NOW - 61}, **sent) == "auth_time"
    assert refused(good, **{**sent, "access_token": Secret("other")}) == "at_hash"
    assert refused(good, **{**sent, "state": Secret("other")}) == "s_hash"
    assert refused(good, **{**sent, "issuer": "https://other.example"}) == "iss"
    assert refused(good, **{**sent, "client_id": "another-client"}) == "aud"


def test_a_nonce_that_was_not_sent_is_refused() -> None:
    check(claims(nonce=None), nonce=None)
    assert refused(claims(), nonce=None) == "nonce"


@pytest.mark.parametrize(
    ("response_type", "kind"),
    [
        (None, CodeIDToken),
        ("id_token", ImplicitIDToken),
        ("token id_token", ImplicitIDToken),
        ("code id_token", HybridIDToken),
        ("id_token code token", HybridIDToken),
        ("something else", HybridIDToken),
    ],
)
def test_the_response_type_says_which_hashes_are_required(response_type: str | None, kind: type) -> None:
    assert ExpectedIDToken(issuer=ISSUER, client_id=CLIENT, response_type=response_type).kind is kind


def test_a_clock_that_is_off_by_an_hour_is_named_with_its_seconds() -> None:
    with pytest.raises(VerificationError, match="3600 seconds in the future"):
        check(claims(iat=NOW + 3600, exp=NOW + 7200))
    with pytest.raises(VerificationError, match="3600 seconds ago"):
        check(claims(iat=NOW - 7200, exp=NOW - 3600))
    with pytest.raises(VerificationError, match="90 seconds in the future"):
        check(claims(nbf=NOW + 90))


def unsigned(header: dict[str, Any], members: Any) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, members))
    return ".".join([*parts, ""])


def test_an_unsigned_token_is_read_strictly() -> None:
    token = unsigned({"alg": "none"}, claims())
    assert is_unsigned(token)
    assert read_unsigned(token).claims == claims()
    for odd in (
        unsigned({"alg": "ES256"}, claims()),
        unsigned({"alg": "none", "crit": ["exp"]}, claims()),
        unsigned({"alg": "none"}, [1]),
        unsigned({"alg": "None"}, claims()),
        f"{token}AA",
        token[:-1],
        f"{token}.",
        ".",
        "a.b.",
    ):
        with pytest.raises(VerificationError):
            read_unsigned(odd)
