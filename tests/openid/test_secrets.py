"""No error of a login, of userinfo or of a logout shows a token, a code or a nonce: not in its text or its frames."""

from collections.abc import Callable

import pytest

from doorkey.errors import OAuthError
from tests.support.openid_provider import SECRET
from tests.support.relying_party import RelyingParty
from tests.support.tracebacks import variables_of_ours


def forged(party: RelyingParty) -> None:
    party.provider.forges = True
    party.log_in()


def forged_in_the_front_channel(party: RelyingParty) -> None:
    party.provider.forges = True
    party.log_in(response_type="code id_token token")


def of_another_login(party: RelyingParty) -> None:
    party.provider.changed = {"nonce": "nonce-of-another-login"}
    party.log_in()


def renewed_for_another_user(party: RelyingParty) -> None:
    party.log_in()
    party.provider.changed = {"sub": "sub-of-another"}
    party.client.refresh_token()


def renewed_and_forged(party: RelyingParty) -> None:
    party.log_in()
    party.provider.forges = True
    party.client.refresh_token()


def userinfo_of_another(party: RelyingParty) -> None:
    party.provider.userinfo_signer = party.provider.signer
    party.provider.user = {"sub": "sub-of-another", "email": "alice@private.example"}
    party.log_in()
    party.userinfo()


def a_logout_token_of_another(party: RelyingParty) -> None:
    party.client.call("verify_logout_token", party.provider.logout_token(aud="another-client"))


def an_id_token_of_another(party: RelyingParty) -> None:
    party.client.call("verify_id_token", party.provider.id_token({"nonce": "n"}), nonce="nonce-of-another-login")


@pytest.mark.parametrize(
    "fail",
    [
        forged,
        forged_in_the_front_channel,
        of_another_login,
        renewed_for_another_user,
        renewed_and_forged,
        userinfo_of_another,
        a_logout_token_of_another,
        an_id_token_of_another,
    ],
)
def test_no_error_shows_a_secret(party: RelyingParty, fail: Callable[[RelyingParty], None]) -> None:
    with pytest.raises(OAuthError) as error:
        fail(party)
    shown = f"{variables_of_ours(error.value)}" + repr(error.value) + str(error.value)
    header = party.provider.signer.sign({}, {}).partition(".")[0][:20]
    secrets = (SECRET, header, "nonce-of-another", "sub-of-another", "alice@private", "code-0", "at-1", "rt-1")
    assert [secret for secret in secrets if secret in shown] == []
