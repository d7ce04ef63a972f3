"""A used refresh token that comes back ends its family: every token of the grant, and nothing else."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from doorkey.jose.verification import unsafe_claims
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.model import Settings
from doorkey.server.storage.records import Records
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.wire.messages import Response
from tests.server.world import APP, OTHER, SPA, World, callback

ROTATING = Settings(rotate_refresh_tokens=True)
CLIENTS = (replace(APP, audiences={"profile": "app"}), SPA, OTHER)
REUSED = "Maximum allowed refresh token reuse exceeded"
ENDED = "Session doesn't have required client"
THREADS = 64


@pytest.fixture
def world(store: Records) -> World:
    return World(ROTATING, CLIENTS, store=store)


def test_refresh_tokens_of_public_clients_rotate_by_default(store: Records) -> None:
    world = World(Settings(), CLIENTS, store=store)
    first = world.exchange(world.code()).json["refresh_token"]
    second = world.refresh_public(first)
    assert second.status == 200
    assert world.refresh_public(first).json["error_description"] == REUSED
    assert world.refresh_public(second.json["refresh_token"]).json["error_description"] == ENDED


def test_refresh_tokens_of_confidential_clients_do_not_rotate_by_default(store: Records) -> None:
    world = World(Settings(), CLIENTS, store=store)
    token = world.login().json["refresh_token"]
    assert [world.refresh(token).status for _ in range(2)] == [200, 200]
    assert world.is_active(token)


def test_a_realm_may_imitate_keycloak_whose_refresh_tokens_do_not_rotate(store: Records) -> None:
    world = World(Settings(rotate_refresh_tokens=False), CLIENTS, store=store)
    token = world.exchange(world.code()).json["refresh_token"]
    assert [world.refresh_public(token).status for _ in range(2)] == [200, 200]


def test_without_rotation_the_refresh_tokens_of_a_grant_keep_their_id(store: Records) -> None:
    world = World(Settings(), CLIENTS, store=store)
    first = world.login().json["refresh_token"]
    second = world.refresh(first).json["refresh_token"]
    assert unsafe_claims(first)["jti"] == unsafe_claims(second)["jti"]


def test_a_realm_that_no_longer_rotates_takes_the_earlier_tokens_again(world: World) -> None:
    first = world.login().json["refresh_token"]
    assert world.refresh(first).status == 200
    assert not world.is_active(first)
    world.settings = Settings(rotate_refresh_tokens=False)
    assert world.is_active(first)
    assert world.refresh(first).status == 200


def test_a_refresh_leaves_the_other_grants_of_its_session_alone(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    again = world.authorize(Cookies(session=done.session_key))
    assert isinstance(again, Response)
    mine, others = (world.exchange(callback(one)["code"]).json for one in (done.response, again))
    assert mine["session_state"] == others["session_state"]
    mine = world.refresh_public(mine["refresh_token"]).json
    assert world.refresh_public(others["refresh_token"]).status == 200
    assert world.refresh_public(mine["refresh_token"]).status == 200


def test_every_token_of_the_grant_ends_at_once(world: World) -> None:
    first = world.login().json
    second = world.refresh(first["refresh_token"]).json
    assert world.is_active(first["access_token"])
    assert world.is_active(second["access_token"])
    assert world.refresh(first["refresh_token"]).json["error_description"] == REUSED
    for tokens in (first, second):
        assert not world.is_active(tokens["access_token"])
        assert not world.is_active(tokens["refresh_token"])
        assert world.refresh(tokens["refresh_token"]).json["error_description"] == ENDED


def test_the_first_of_a_long_line_still_ends_the_last(world: World) -> None:
    first = latest = world.login().json["refresh_token"]
    for _ in range(20):
        latest = world.refresh(latest).json["refresh_token"]
    assert world.refresh(first).json["error_description"] == REUSED
    assert world.refresh(latest).json["error_description"] == ENDED


def test_other_sessions_of_the_same_user_and_client_go_on(world: World) -> None:
    mine, others = (world.login().json["refresh_token"] for _ in range(2))
    world.refresh(mine)
    assert world.refresh(mine).json["error_description"] == REUSED
    assert world.refresh(others).status == 200


def test_a_token_that_another_client_brings_is_not_a_reuse(world: World) -> None:
    first = world.login().json["refresh_token"]
    second = world.refresh(first).json["refresh_token"]
    assert world.refresh(first, ("other", "other-secret")).problem == (400, "invalid_grant")
    assert world.refresh(second).status == 200


def test_a_request_that_is_refused_uses_nothing_up(world: World) -> None:
    token = world.login().json["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert world.token({**form, "scope": "no-such-scope"}).problem == (400, "invalid_scope")
    assert world.refresh(token).status == 200


def test_64_threads_with_one_token_get_one_answer_and_lose_the_grant(world: World) -> None:
    first = world.login().json["refresh_token"]
    together = threading.Barrier(THREADS)

    def refresh(_: int) -> tuple[int, dict[str, str]]:
        together.wait()
        answer = world.refresh(first)
        return answer.status, answer.json

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(refresh, range(THREADS)))
    won = [body for status, body in answers if status == 200]
    lost = {body["error_description"] for status, body in answers if status == 400}
    assert (len(won), len(answers)) == (1, THREADS)
    assert REUSED in lost
    assert lost <= {REUSED, ENDED}
    assert world.refresh(won[0]["refresh_token"]).json["error_description"] == ENDED
    assert not world.is_active(won[0]["access_token"])


def test_64_threads_with_grants_of_their_own_disturbs_no_other_caller(world: World) -> None:
    tokens = [world.login().json["refresh_token"] for _ in range(THREADS)]
    together = threading.Barrier(THREADS)

    def rotate(token: str) -> str:
        together.wait()
        for _ in range(3):
            token = world.refresh(token).json["refresh_token"]
        return token

    with ThreadPoolExecutor(THREADS) as pool:
        latest = list(pool.map(rotate, tokens))
    assert {world.refresh(token).status for token in latest} == {200}


def test_a_reuse_is_recognized_after_a_restart_and_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"

    def started() -> World:
        return World(ROTATING, CLIENTS, store=SQLiteRecords(path))

    before = started()
    first = before.login().json["refresh_token"]
    second = before.refresh(first).json["refresh_token"]
    before.store.close()
    again = started()
    assert again.refresh(first).json["error_description"] == REUSED
    again.store.close()
    at_last = started()
    assert at_last.refresh(second).json["error_description"] == ENDED
    at_last.store.close()


def test_two_servers_on_one_file_recognize_a_reuse_together(tmp_path: Path) -> None:
    one, two = (World(ROTATING, CLIENTS, store=SQLiteRecords(tmp_path / "store.sqlite")) for _ in range(2))
    first = one.login().json["refresh_token"]
    second = two.refresh(first).json["refresh_token"]
    assert one.refresh(first).json["error_description"] == REUSED
    assert two.refresh(second).json["error_description"] == ENDED
    one.store.close()
    two.store.close()
