"""Rows of the FAPI 2.0 client tests (`fapi2-security-profile-final-client-test-…`) about ID tokens and responses.

Each test has the name of its module. The other rows (JARM, PAR, DPoP) belong to the profile that implements them.
"""

import pytest

from doorkey.errors import MismatchingStateError, VerificationError
from tests.support.openid_provider import CLIENT, Signer
from tests.support.relying_party import RelyingParty


def test_invalid_alternate_alg(party: RelyingParty) -> None:
    party.options["id_token_signed_response_alg"] = "PS256"
    party.refuses("alg")


def test_invalid_null_alg(party: RelyingParty) -> None:
    party.provider.unsigned = True
    party.refuses("alg")


def test_invalid_aud(party: RelyingParty) -> None:
    party.provider.changed = {"aud": "another-client"}
    party.refuses("aud")


def test_invalid_secondary_aud(party: RelyingParty) -> None:
    party.provider.changed = {"aud": [CLIENT, "a-stranger"], "azp": CLIENT}
    party.refuses("aud")
    party.provider.changed = {"aud": [CLIENT, "a-stranger"]}
    party.refuses("azp")


def test_valid_aud_as_array(party: RelyingParty) -> None:
    party.provider.changed = {"aud": [CLIENT]}
    assert party.log_in().id_token_claims is not None


@pytest.mark.parametrize("claim", ["aud", "exp", "iss"])
def test_invalid_missing_aud_exp_or_iss(party: RelyingParty, claim: str) -> None:
    party.provider.changed = {claim: None}
    party.refuses(claim)


def test_invalid_expired_exp(party: RelyingParty) -> None:
    now = int(party.provider.clock())
    party.provider.changed = {"iat": now - 700, "exp": now - 301}
    assert "301 seconds ago" in str(party.refuses("exp"))


def test_invalid_iss(party: RelyingParty) -> None:
    party.provider.changed = {"iss": f"{party.provider.issuer}/"}
    party.refuses("iss")


def test_invalid_nonce(party: RelyingParty) -> None:
    party.provider.changed = {"nonce": "of-another-login"}
    party.refuses("nonce")


def test_invalid_missing_nonce(party: RelyingParty) -> None:
    party.provider.changed = {"nonce": None}
    party.refuses("nonce")


def test_token_endpoint_response_without_expires_in(party: RelyingParty) -> None:
    party.provider.tokens = {"expires_in": None}
    assert party.log_in().expires_at is None


@pytest.mark.parametrize("token_type", ["bEARER", "BEARER", "bearer"])
def test_token_type_case_insensitivity(party: RelyingParty, token_type: str) -> None:
    party.provider.tokens = {"token_type": token_type}
    assert party.log_in().token_type == "Bearer"
    party.userinfo()


def _responds(party: RelyingParty, change: str) -> None:
    """Finish a login whose response is changed; the server promises `iss`, and no other endpoint is called."""
    document = {**party.provider.metadata, "authorization_response_iss_parameter_supported": True}
    party.options["metadata"] = document
    begun = party.begin()
    callback = party.provider.log_in(begun.url)
    changed = callback.replace(f"state={begun.state}", change.replace("STATE", begun.state))
    try:
        party.client.fetch_token(authorization_response=changed, transaction=begun)
    finally:
        good = f"iss={party.provider.issuer}" in change and "STATE" in change
        assert party.provider.request_count("/token") == int(good)


def test_invalid_authorization_response_iss(party: RelyingParty) -> None:
    _responds(party, f"state=STATE&iss={party.provider.issuer}")
    other = RelyingParty(party.adapter, party.provider)
    party.provider.server.received.clear()
    with pytest.raises(VerificationError, match="another authorization server"):
        _responds(other, "state=STATE&iss=https://other.example")


def test_remove_authorization_response_iss(party: RelyingParty) -> None:
    with pytest.raises(VerificationError, match="iss is missing"):
        _responds(party, "state=STATE")


def test_ensure_authorization_response_with_invalid_state_fails(party: RelyingParty) -> None:
    with pytest.raises(MismatchingStateError):
        _responds(party, f"state=another&iss={party.provider.issuer}")


def test_ensure_authorization_response_with_invalid_missing_state_fails(party: RelyingParty) -> None:
    with pytest.raises(MismatchingStateError):
        _responds(party, f"iss={party.provider.issuer}")


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
def test_each_algorithm_of_the_profile_is_accepted(party: RelyingParty, alg: str) -> None:
    party.options["id_token_signed_response_alg"] = alg
    party.provider.signer = Signer(alg)
    assert party.log_in().id_token_claims is not None
