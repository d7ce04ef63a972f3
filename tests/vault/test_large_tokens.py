"""A token response that does not fit into a record: its refresh token is saved all the same."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from doorkey.errors import InvalidGrant, UsageError
from doorkey.stores import MemoryStore
from doorkey.stores.limits import MAX_DATA
from doorkey.vault import TokenVault
from tests.support.hostile_server import Hostile, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

VaultOn = Callable[..., TokenVault]
LARGE = 120 * 1024
"""Characters: below the bound of each member of a token response."""


@dataclass(frozen=True)
class Enlarging:
    """A sealer of the user's own, whose records are `factor` times as large."""

    factor: int

    def seal(self, key: str, data: bytes) -> bytes:
        return data * self.factor

    def open(self, key: str, sealed: bytes) -> bytes:
        return sealed[: len(sealed) // self.factor]


def members(number: int) -> dict[str, str]:
    """Return the members of a large token response."""
    return {
        "refresh_token": f"rt-{number}-".ljust(LARGE, "r"),
        "id_token": "i" * LARGE,
        "scope": "s" * LARGE,
        "profile": "p" * (LARGE - 100),
    }


@pytest.mark.parametrize(("factor", "left_out"), [(2, "profile"), (4, "id_token, profile, scope")])
def test_a_renewed_token_whose_response_exceeds_a_record_is_not_lost_to_other_processes(
    factor: int,
    left_out: str,
    vault_on: VaultOn,
    hostile: Hostile,
    clock: Arrivals,
    caplog: pytest.LogCaptureFixture,
) -> None:
    large = "at-2".ljust(LARGE, "a")
    hostile.on("/token", token(large, **members(2)), token("at-3", refresh_token="rt-3"))
    store = MemoryStore()
    one, other = (vault_on(store, sealer=Enlarging(factor)) for _ in range(2))
    one.save("u", OLD)
    clock.advance(300)
    with caplog.at_level(logging.WARNING, logger="doorkey.vault"):
        assert one.source("u").token().access_token.reveal() == large
    record = store.load("u")
    assert record is not None
    assert len(record.data) <= MAX_DATA
    assert f"do not fit: {left_out}\n" in caplog.text
    assert "ppp" not in caplog.text
    assert other.source("u").token().access_token.reveal() == large
    clock.advance(4000)
    assert other.source("u").token().access_token.reveal() == "at-3"
    presented = [request.form["refresh_token"] for request in hostile.token_requests]
    assert presented == ["rt-1", members(2)["refresh_token"]]


def test_a_dead_grant_is_marked_in_a_record_that_is_full(vault_on: VaultOn, hostile: Hostile, clock: Arrivals) -> None:
    refusal = b'{"error": "invalid_grant", "error_description": "' + b"d" * 200 + b'"}'
    hostile.on("/token", reply(400, refusal))
    store = MemoryStore()
    one, other = vault_on(store), vault_on(store)
    one.save("u", {**OLD, "profile": ""})
    record = store.load("u")
    assert record is not None
    one.save("u", {**OLD, "profile": "p" * (MAX_DATA - len(record.data))})
    clock.advance(300)
    for vault in (one, other):
        with pytest.raises(InvalidGrant, match="invalid_grant"):
            vault.source("u").token()
    assert len(hostile.token_requests) == 1


def test_a_login_that_exceeds_a_record_is_refused(vault_on: VaultOn) -> None:
    store = MemoryStore()
    vault = vault_on(store)
    with pytest.raises(UsageError, match="at most"):
        vault.save("u", {**OLD, "profile": "p" * MAX_DATA})
    assert store.load("u") is None
