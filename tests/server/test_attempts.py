"""Guessing passwords and client secrets: slowed down, then blocked, per account and per address."""

from dataclasses import replace
from pathlib import Path

import pytest

from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.endpoints.token import token
from doorkey.server.model import Settings
from doorkey.server.storage.records import MemoryRecords, Records
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.wire.messages import Response
from tests.server.world import ALICE, APP, SECRET, World, with_known_key

SETTINGS = Settings(failed_logins=6, login_block=600)
BOB = replace(ALICE, sub="sub-of-bob", username="bob")


@pytest.fixture
def world(store: Records) -> World:
    return World(SETTINGS, users=(ALICE, BOB), store=with_known_key(store), address="192.0.2.1")


def guess(world: World, username: str = "alice", password: str = "wrong") -> Response:
    form = {"grant_type": "password", "username": username, "password": password}
    return world.post(token, form, ("app", SECRET))


def guesses(world: World, number: int, username: str = "alice") -> None:
    """Guess wrongly so often, and wait each time for as long as is demanded."""
    for _ in range(number):
        response = guess(world, username)
        while response.status == 429:
            world.advance(int(response.header("retry-after") or ""))
            response = guess(world, username)
        assert response.status == 400


def test_half_of_the_wrong_passwords_cost_nothing_and_then_each_makes_the_next_one_wait(world: World) -> None:
    guesses(world, 3)
    for seconds in (1, 2):
        assert guess(world).status == 400
        refused = guess(world, password="wonderland")
        assert (refused.status, refused.header("retry-after")) == (429, str(seconds))
        assert f"Try again in {seconds} seconds." in refused.body.decode()
        world.advance(seconds)


def test_a_refused_attempt_does_not_count(world: World) -> None:
    guesses(world, 4)
    for _ in range(20):
        assert guess(world).header("retry-after") == "1"
    world.advance(1)
    assert guess(world, password="wonderland").status == 200


def test_an_account_is_blocked_after_too_many_wrong_passwords_even_for_the_right_one(world: World) -> None:
    guesses(world, 6)
    blocked = guess(world, password="wonderland")
    assert (blocked.status, blocked.header("retry-after")) == (429, "600")
    assert b"temporarily_unavailable" in blocked.body
    world.advance(599)
    assert guess(world, password="wonderland").status == 429
    world.advance(1)
    assert guess(world, password="wonderland").status == 200


def test_after_a_block_one_more_wrong_password_blocks_again(world: World) -> None:
    guesses(world, 6)
    world.advance(600)
    assert guess(world).status == 400
    assert guess(world).header("retry-after") == "600"


def test_failures_are_forgotten_in_time(world: World) -> None:
    guesses(world, 6)
    world.advance(1200)
    guesses(world, 3)
    assert guess(world, password="wonderland").status == 200


def test_the_right_password_forgets_the_failures_of_its_account(world: World) -> None:
    for _ in range(4):
        guesses(world, 3)
        assert guess(world, password="wonderland").status == 200


def test_one_blocked_account_blocks_no_other_and_names_differ_by_more_than_case(world: World) -> None:
    guesses(world, 3)
    guesses(world, 3, "ALICE")
    assert guess(world, "Alice", "wonderland").status == 429
    assert guess(world, "bob", "wonderland").status == 200


def test_an_unknown_name_is_blocked_as_a_known_one_is(world: World) -> None:
    guesses(world, 6, "no-such-user")
    assert guess(world, "no-such-user").header("retry-after") == "600"


def test_an_address_that_guesses_at_many_accounts_is_blocked_and_no_other(world: World) -> None:
    for number in range(60):
        guesses(world, 1, f"user-{number}")
    blocked = guess(world, password="wonderland")
    assert (blocked.status, blocked.header("retry-after")) == (429, "600")
    world.address = "192.0.2.2"
    assert guess(world, password="wonderland").status == 200


def test_an_address_begins_to_wait_after_ten_times_as_many_failures_as_an_account(world: World) -> None:
    for number in range(30):
        assert guess(world, f"user-{number}").status == 400
    assert guess(world, password="wonderland").status == 200
    assert guess(world, "user-30").status == 400
    refused = guess(world, password="wonderland")
    assert (refused.status, refused.header("retry-after")) == (429, "1")


def test_a_right_password_does_not_forget_the_failures_of_its_address(world: World) -> None:
    for number in range(60):
        guesses(world, 1, f"user-{number}")
        if number < 30:
            assert guess(world, "bob", "wonderland").status == 200
    assert guess(world, "bob", "wonderland").status == 429


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("not-an-address", "not-an-address", True),
    ],
)
def test_the_addresses_of_one_ipv6_network_count_as_one(world: World, one: str, other: str, same: bool) -> None:
    world.address = one
    for number in range(60):
        guesses(world, 1, f"user-{number}")
    world.address = other
    assert (guess(world, password="wonderland").status == 429) is same


def test_guesses_at_a_clients_secret_block_the_address_and_not_the_client(world: World) -> None:
    ask = {"grant_type": "client_credentials"}
    for _ in range(200):
        response = world.post(token, ask, ("app", "a wrong secret"))
        if response.status == 429:
            world.advance(int(response.header("retry-after") or ""))
    response = world.post(token, ask, ("app", SECRET))
    while response.status == 200:
        response = world.post(token, ask, ("app", "a wrong secret"))
        response = world.post(token, ask, ("app", SECRET))
    assert response.status == 429
    world.address = "192.0.2.2"
    assert world.post(token, ask, ("app", SECRET)).status == 200


def test_a_caller_that_invents_names_does_not_fill_the_store() -> None:
    written: set[tuple[str, str]] = set()

    class Counting(MemoryRecords):
        def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
            written.add((kind, key))
            return super().add(kind, key, value, expires_at=expires_at, now=now)

    world = World(SETTINGS, store=Counting())
    for number in range(200):
        guess(world, f"user-{number}" * 50)
    attempts = [key for kind, key in written if kind == "attempts"]
    assert attempts
    # 65,536 buckets by a keyed hash, however long and many the names
    assert {len(key) for key in attempts} == {len("one/account/ffff")}


def test_the_login_page_says_how_long_to_wait(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    outcomes = [world.fill_in(needed, password="wrong") for _ in range(4)]
    assert all(isinstance(one, LoginNeeded) and one.failed for one in outcomes)
    waiting = world.fill_in(needed)
    assert isinstance(waiting, LoginNeeded)
    assert (waiting.failed, waiting.retry_after, waiting.username) == (False, 1, "alice")
    world.advance(1)
    assert isinstance(world.fill_in(waiting), LoggedIn)


def test_a_blocked_address_cannot_log_in_by_the_page_or_a_public_client(world: World) -> None:
    for number in range(60):
        guesses(world, 1, f"user-{number}")
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    waiting = world.fill_in(needed)
    assert isinstance(waiting, LoginNeeded)
    assert waiting.retry_after == 600
    form = {"grant_type": "password", "client_id": "spa", "username": "alice", "password": "wonderland"}
    assert world.post(token, form).status == 429


def test_a_page_and_a_token_request_share_the_count_of_an_account(world: World) -> None:
    guesses(world, 6)
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    waiting = world.fill_in(needed)
    assert isinstance(waiting, LoginNeeded)
    assert waiting.retry_after == 600


def test_without_an_address_only_accounts_are_counted(world: World) -> None:
    world.address = None
    for number in range(61):
        assert guess(world, f"user-{number}").status == 400
    assert guess(world, password="wonderland").status == 200


def test_two_servers_on_one_file_count_together(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    one, two = (World(SETTINGS, (APP,), store=SQLiteRecords(path)) for _ in range(2))
    guesses(one, 3)
    two.now = one.now
    guesses(two, 3)
    one.now = two.now
    assert guess(one, password="wonderland").status == 429
    one.store.close()
    two.store.close()
