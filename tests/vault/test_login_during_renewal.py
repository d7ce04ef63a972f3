"""A login that is saved in this process while the token of its key is being renewed."""

from doorkey.vault import TokenVault
from tests.support.every_adapter import in_background
from tests.support.hostile_server import Held, Hostile, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD


def access(vault: TokenVault) -> str:
    return vault.source("u").token().access_token.reveal()


def test_a_login_during_a_renewal_wins(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    held = Held(token("at-2"))
    hostile.on("/token", held)
    vault.save("u", OLD)
    clock.advance(300)
    with in_background(lambda: access(vault)) as outcome:
        held.wait_for_arrival()
        vault.save("u", {**OLD, "access_token": "at-9", "expires_at": clock() + 300})
        held.release.set()
        assert outcome() == "at-9"
    assert access(vault) == "at-9"


def test_an_expired_login_during_a_renewal_is_renewed(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    held = Held(token("at-2"))
    hostile.on("/token", held, token("at-10"))
    vault.save("u", OLD)
    clock.advance(300)
    with in_background(lambda: access(vault)) as outcome:
        held.wait_for_arrival()
        vault.save("u", {**OLD, "access_token": "at-9", "refresh_token": "rt-9", "expires_at": clock() - 1})
        held.release.set()
        assert outcome() == "at-10"
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["rt-1", "rt-9"]
