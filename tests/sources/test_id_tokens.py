"""The verifier of what a provider signs: no token, of any form, raises anything but an error of ours."""

import base64
import contextlib
import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import doorkey
from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.oidc.core.expectations import ExpectedIDToken
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.sources.fetched_once.keys import KeyCore
from doorkey.sources.id_tokens import IDTokenVerifier, Protection
from doorkey.sources.renewed_tokens import check_same_login, claims_of
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import run
from tests.support.changed_text import with_changed
from tests.support.id_tokens import CLIENT, ISSUER, LOGIN, NOW, claims
from tests.support.json_values import JSON

KEY = generate_key("ES256")
EXPECTED = ExpectedIDToken(issuer=ISSUER, client_id=CLIENT, nonce=Secret(str(LOGIN["nonce"])))


def verifier(**options: Any) -> IDTokenVerifier:
    keys = KeyCore(None, keys=(KEY,))
    usual: dict[str, Any] = {"keys": keys, "metadata": {}, "clock": lambda: float(NOW), "secret": Secret("s" * 32)}
    return IDTokenVerifier(**{**usual, **options})


def no_request(effect: object) -> object:
    raise AssertionError(f"nothing is asked for here, and this is: {effect}")


def verified(token: str, **options: Any) -> Any:
    return run(verifier(**options).id_token(Secret(token), EXPECTED), no_request)


def signed(members: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    return sign(members, KEY, alg="ES256", header=header)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_good_token_is_good() -> None:
    assert verified(signed(claims()))["sub"] == claims()["sub"]


REGISTRATIONS = st.sampled_from([(), ("ES256",), ("HS256",), ("none",), ("none", "RS256")])
SEGMENTS = st.lists(st.sampled_from(["", "AA", part({}), part({"alg": "none"}), part({"alg": "ES256"})]) | st.text())


@settings(deadline=None, max_examples=200)
@given(st.text() | SEGMENTS.map(".".join), REGISTRATIONS)
def test_no_builtin_error_comes_of_any_text(token: str, registered: tuple[str, ...]) -> None:
    with contextlib.suppress(OAuthError):
        verified(token, id_tokens=Protection(signed=registered), decryption_keys=(KEY,))
    with contextlib.suppress(OAuthError):
        run(verifier().logout_token(Secret(token), ISSUER, CLIENT, 60.0), no_request)
    with contextlib.suppress(OAuthError):
        run(verifier().user_info(Secret(token), ISSUER, CLIENT, 60.0), no_request)
    one = OAuthToken(Secret("at"), id_token=Secret(token))
    with contextlib.suppress(OAuthError):
        check_same_login(one, OAuthToken(Secret("at"), id_token=Secret(signed(claims()))))
    with contextlib.suppress(OAuthError):
        claims_of(one)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from([*claims(), "azp", "events", "tid"]), JSON), st.dictionaries(st.text(), JSON))
def test_no_builtin_error_comes_of_any_signed_claims(changed: dict[str, Any], metadata: dict[str, Any]) -> None:
    try:
        token = Secret(signed({**claims(), **changed}))
    except UsageError:
        return  # not JSON: no provider can sign it
    metadata = {"id_token_signing_alg_values_supported": metadata.get("x", ["ES256"]), **metadata}
    how = verifier(metadata=metadata)
    for issuer in (ISSUER, TenantIssuer("https://as.example/{tenantid}", None)):
        with contextlib.suppress(OAuthError):
            run(how.logout_token(token, issuer, CLIENT, 60.0), no_request)
        with contextlib.suppress(OAuthError):
            run(how.user_info(token, issuer, CLIENT, 60.0), no_request)
    with contextlib.suppress(OAuthError):
        run(how.id_token(token, EXPECTED), no_request)


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "dpop+jwt"])
def test_a_token_of_another_type_is_no_userinfo_response(typ: str) -> None:
    with pytest.raises(VerificationError, match="typ"):
        run(verifier().user_info(Secret(signed(claims(), {"typ": typ})), ISSUER, CLIENT, 60.0), no_request)


def test_userinfo_of_another_tenant_is_refused() -> None:
    tenants = TenantIssuer("https://as.example/{tenantid}", ["ours"])
    for iss, good in (("https://as.example/ours", True), ("https://as.example/theirs", False)):
        flow = verifier().user_info(Secret(signed(claims(iss=iss))), tenants, CLIENT, 60.0)
        if good:
            assert run(flow, no_request)["iss"] == iss
        else:
            with pytest.raises(VerificationError, match="tenant"):
                run(flow, no_request)


def test_an_hmac_needs_the_secret_of_the_client() -> None:
    token = sign(claims(), b"s" * 32, alg="HS256")
    how = {"id_tokens": Protection(signed=("HS256",))}
    assert verified(token, **how)["sub"] == claims()["sub"]
    with pytest.raises(UsageError, match="client_secret"):
        verified(token, secret=None, **how)
    with pytest.raises(VerificationError, match="alg"):
        verified(token)


def test_no_frame_of_an_error_shows_a_token() -> None:
    token = signed({**claims(), "sub": "do-not-tell-anyone"}, {"kid": "other"})
    forged = with_changed(token, -8)
    with pytest.raises(VerificationError) as error:
        verified(forged)
    shown = "".join(traceback.TracebackException.from_exception(error.value, capture_locals=True).format())
    ours = shown.split(str(Path(doorkey.__file__).parent), 1)[1]
    assert forged not in ours
    assert "do-not-tell-anyone" not in shown
