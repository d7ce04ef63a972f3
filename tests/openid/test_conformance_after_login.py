"""The rows of conformance.md about what follows a login: renewal, UserInfo and logout (see test_conformance.py)."""

from typing import Any

import pytest

from doorkey.errors import LoginRequired, MismatchingStateError, VerificationError
from doorkey.oidc.logout import FrontChannelLogout
from tests.support.openid_provider import HOME, SECRET, SUB, Signer
from tests.support.relying_party import RelyingParty, parameters

# -- renewal -----------------------------------------------------------------------------------------------------------


def test_oidcc_client_test_refresh_token(party: RelyingParty) -> None:
    first = party.log_in()
    second = party.client.refresh_token()
    assert second.access_token != first.access_token
    party.userinfo()
    assert party.provider.server.to("/userinfo")[0].token == second.access_token


def _refuses_renewal(party: RelyingParty, claim: str, value: str) -> None:
    first = party.log_in()
    party.provider.changed = {claim: value}
    with pytest.raises(VerificationError) as error:
        party.client.refresh_token()
    assert error.value.claim == claim
    assert party.client.access_token == first.access_token
    assert party.provider.request_count("/userinfo") == 0


def test_oidcc_client_test_refresh_token_invalid_issuer(party: RelyingParty) -> None:
    _refuses_renewal(party, "iss", "https://other.example")


def test_oidcc_client_test_refresh_token_invalid_sub(party: RelyingParty) -> None:
    _refuses_renewal(party, "sub", "another")


# -- userinfo ----------------------------------------------------------------------------------------------------------


def test_oidcc_client_test_userinfo_bearer_header(party: RelyingParty) -> None:
    token = party.log_in()
    party.userinfo()
    (request,) = party.provider.server.to("/userinfo")
    assert (request.method, request.token, request.body) == ("GET", token.access_token, b"")


def test_oidcc_client_test_userinfo_bearer_body(party: RelyingParty) -> None:
    party.options["token_placement"] = "body"
    token = party.log_in()
    party.userinfo()
    (request,) = party.provider.server.to("/userinfo")
    assert (request.method, request.form) == ("POST", {"access_token": token.access_token})
    assert request.header("authorization") is None


def test_oidcc_client_test_userinfo_invalid_sub(party: RelyingParty) -> None:
    party.provider.user = {"sub": "another"}
    party.log_in()
    with pytest.raises(VerificationError, match="another user"):
        party.userinfo()


def test_oidcc_client_test_userinfo_signed(party: RelyingParty) -> None:
    party.options["userinfo_signed_response_alg"] = "RS256"
    party.provider.signer = party.provider.userinfo_signer = Signer("RS256")
    party.log_in()
    assert party.userinfo()["sub"] == SUB


# -- logout ------------------------------------------------------------------------------------------------------------


def _logs_out(party: RelyingParty) -> tuple[str, str]:
    """Begin a logout after a login; return its URL and where the browser comes back."""
    token = party.log_in()
    url, state = party.client.native.create_logout_url(post_logout_redirect_uri=HOME)
    assert parameters(url)["id_token_hint"] == token.id_token
    assert state == parameters(url)["state"]
    return url, f"{HOME}?state={state}"


def test_oidcc_client_test_rp_init_logout(party: RelyingParty) -> None:
    url, back = _logs_out(party)
    assert url.startswith(party.provider.metadata["end_session_endpoint"])
    party.client.native.validate_logout_response(back)


def test_oidcc_client_test_rp_init_logout_no_state(party: RelyingParty) -> None:
    _logs_out(party)
    with pytest.raises(MismatchingStateError):
        party.client.native.validate_logout_response(HOME)


def test_oidcc_client_test_rp_init_logout_other_state(party: RelyingParty) -> None:
    _logs_out(party)
    with pytest.raises(MismatchingStateError):
        party.client.native.validate_logout_response(f"{HOME}?state=other")


def test_oidcc_client_test_rp_backchannel_rpinitlogout(party: RelyingParty) -> None:
    _, back = _logs_out(party)
    assert party.backchannel_status(party.provider.logout_token()) == 200
    party.client.native.validate_logout_response(back)


def test_oidcc_client_test_rp_backchannel_rpinitlogout_alg_none(party: RelyingParty) -> None:
    party.log_in()
    party.provider.unsigned = True
    assert party.backchannel_status(party.provider.logout_token()) == 400
    registered = RelyingParty(party.adapter, party.provider, {"id_token_signed_response_alg": "none"})
    assert registered.backchannel_status(party.provider.logout_token()) == 400


def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg(party: RelyingParty) -> None:
    party.log_in()
    party.options["id_token_signed_response_alg"] = "RS256"
    assert (
        RelyingParty(party.adapter, party.provider, party.options).backchannel_status(party.provider.logout_token())
        == 400
    )
    party.provider.hmac_secret = SECRET
    assert party.backchannel_status(party.provider.logout_token()) == 400


@pytest.mark.parametrize("events", [None, {}])
def test_oidcc_client_test_rp_backchannel_rpinitlogout_no_event(party: RelyingParty, events: Any) -> None:
    assert party.backchannel_status(party.provider.logout_token(events=events)) == 400


def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_event(party: RelyingParty) -> None:
    wrong = party.provider.logout_token(events={"http://schemas.openid.net/event/other": {}})
    assert party.backchannel_status(wrong) == 400


def test_oidcc_client_test_rp_backchannel_rpinitlogout_with_nonce(party: RelyingParty) -> None:
    assert party.backchannel_status(party.provider.logout_token(nonce="n")) == 400


def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_aud(party: RelyingParty) -> None:
    assert party.backchannel_status(party.provider.logout_token(aud="another-client")) == 400


def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_iss(party: RelyingParty) -> None:
    assert party.backchannel_status(party.provider.logout_token(iss="https://other.example")) == 400


def test_oidcc_client_test_rp_frontchannel_opinitlogout(party: RelyingParty) -> None:
    asked = f"https://rp.example/logout?iss={party.provider.issuer}&sid=sid-1"
    found = party.client.native.parse_frontchannel_logout(asked)
    assert found == FrontChannelLogout(party.provider.issuer, "sid-1")
    with pytest.raises(VerificationError):
        party.client.native.parse_frontchannel_logout("https://rp.example/logout?iss=https://other.example&sid=sid-1")


def test_oidcc_client_test_rp_frontchannel_rpinitlogout(party: RelyingParty) -> None:
    _, back = _logs_out(party)
    asked = {"iss": party.provider.issuer, "sid": "sid-1"}
    assert party.client.native.parse_frontchannel_logout(asked).sid == "sid-1"
    party.client.native.validate_logout_response(back)


def test_oidcc_client_test_session_management(party: RelyingParty) -> None:
    """What a program does for Session Management 1.0; tests/browser/test_session_management.py has the frames."""
    iframe = party.provider.server.url("/check-session")
    party.options["metadata"] = {**party.provider.metadata, "check_session_iframe": iframe}
    begun = party.begin()
    callback = f"{party.provider.log_in(begun.url)}&session_state=s-1.salt"
    response = party.client.native.parse_authorization_response(callback, transaction=begun)
    token = party.client.fetch_token(authorization_response=response)
    assert response.parameters["session_state"] == "s-1.salt"
    assert party.client.native.metadata.extra["check_session_iframe"] == iframe
    # §3.1: after "changed", the program asks whether the user is still logged in
    again = party.begin(prompt="none", id_token_hint=token.id_token)
    assert parameters(again.url)["id_token_hint"] == token.id_token
    with pytest.raises(LoginRequired):
        party.client.fetch_token(
            authorization_response=party.provider.fail(again.url, "login_required"), transaction=again
        )
