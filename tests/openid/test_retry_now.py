"""`retry_now()` of a session that verifies ID tokens: the pause after a failed fetch of its issuer's keys ends."""

import pytest

from doorkey.errors import InvalidResponse
from tests.support.hostile_server import reply
from tests.support.relying_party import RelyingParty


def test_retry_now_ends_the_pause_after_a_failed_fetch_of_keys(party: RelyingParty) -> None:
    provider = party.provider
    provider.server.on("/jwks", reply(502))
    for _ in range(2):
        with pytest.raises(InvalidResponse):
            party.log_in()
    assert provider.request_count("/jwks") == 1, "the second login is in the pause"
    provider.server.on("/jwks", reply(json={"keys": provider.keys}))
    party.client.native.retry_now()
    assert party.log_in().id_token_claims is not None
