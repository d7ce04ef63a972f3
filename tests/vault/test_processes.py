"""Eight processes share one grant whose refresh tokens work once, and where a second use ends the grant.

Some block, and some await with several tasks each. The time stands still until the test moves it, and then all eight
find the token expired and ask at once.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from random import Random
from typing import Any

import pytest

from doorkey.dev import Provider
from tests.vault.backends import SERVERS, Backend, Kept, running
from tests.vault.fleet import Answer, Fleet, Member, fleet, rotating_provider
from tests.vault.worker import Order

MIXED = ("blocking", "asyncio") * 4
COLORS = {"sqlite": ("blocking", "asyncio", "trio") * 2 + ("blocking", "asyncio")}
"""The libraries of the other stores are asyncio's."""
ROUNDS = 200
LAST_STEP = 6  # load, lease, load, request, commit, release
SEEDS, MOST_SEEDS = 5, 60


def stored(kind: str) -> Any:
    """Return the parameter of one store; all its tests run in one worker of pytest-xdist, which starts one fleet."""
    marks = [pytest.mark.xdist_group(f"fleet on {kind}"), *([pytest.mark.real_server] if kind in SERVERS else [])]
    return pytest.param(kind, marks=marks)


def run_on(metafunc: pytest.Metafunc, *kinds: str) -> None:
    """Run the tests of a module on these stores: those that stop the store only on one that is a server."""
    if "backend" in metafunc.fixturenames:
        chosen = [kind for kind in kinds if kind in SERVERS or "kept" not in metafunc.fixturenames]
        metafunc.parametrize("backend", [stored(kind) for kind in chosen], indirect=True, scope="module")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    run_on(metafunc, "sqlite", "redis")  # test_processes_on_databases.py: the others


@pytest.fixture(scope="module")
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(request.param, tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture
def kept(backend: Backend) -> Kept:
    """The store, where it is a server that a test can stop."""
    assert isinstance(backend, Kept)
    return backend


@pytest.fixture(scope="module")
def started(backend: Backend) -> Iterator[Fleet]:
    with rotating_provider() as provider, _fleet(provider, backend) as whole:
        yield whole


def _fleet(provider: Provider, backend: Backend) -> AbstractContextManager[Fleet]:
    return fleet(provider, backend.kind, backend.address, COLORS.get(backend.kind, MIXED))


@pytest.fixture
def eight(started: Fleet) -> Fleet:
    started.login()
    started.pass_(120)  # no pause after a failure goes on
    started.ask()  # all look into the store again, and see the login
    return started


def one_token(answers: dict[Member, Answer]) -> str:
    """Return the token that all of them have."""
    tokens = {answer.token for answer in answers.values()}
    assert len(tokens) == 1, answers
    assert {answer.different for answer in answers.values()} == {1}
    (token,) = tokens
    assert token is not None, answers
    return token


def statuses(eight: Fleet) -> list[int]:
    return [request.status for request in eight.provider.requests]


def test_200_rotations_by_8_processes_are_200_requests_and_the_grant_lives(eight: Fleet) -> None:
    seen: set[str] = set()
    for number in range(1, ROUNDS + 1):
        eight.expire()
        token = one_token(eight.ask())
        assert token not in seen
        seen.add(token)
        assert eight.provider.token_requests == number
    assert statuses(eight) == [200] * ROUNDS


def test_processes_killed_at_any_step_cost_the_grant_only_between_rotation_and_commit(
    eight: Fleet, backend: Backend
) -> None:
    choice, losses, deaths = Random(1), 0, 0  # noqa: S311  # it chooses, and hides nothing
    steps = list(range(1, LAST_STEP + 1))
    choice.shuffle(steps)
    for step in steps:
        eight.expire()
        eight.provider.requests.clear()
        victim = choice.choice(eight.members)
        victim.order(Order(eight.now, die_at=step))
        died = victim.answer().died
        backend.expire_leases()  # it has none, or will never give it back
        if died:
            deaths += 1
            eight.replace(victim)
        # The processes that ask now finish what the killed one began, and all get one token.
        answers = eight.ask()
        errors = {answer.error for answer in answers.values()}
        if errors == {None}:
            one_token(answers)
            assert statuses(eight) == [200]
            continue
        # It died before it stored the new refresh token: every process gets the error of that name.
        assert errors == {"InvalidGrant"}, answers
        assert statuses(eight) == [200, 400]
        assert step == 5
        losses += 1
        eight.login()
    assert (deaths, losses) == (LAST_STEP, 1)


def test_several_killed_during_one_renewal_cost_the_grant_only_with_an_uncommitted_response(
    eight: Fleet, backend: Backend
) -> None:
    """Six of the eight die at random steps or times, with the lease or without; new processes take over."""
    leaders = 0
    for seed in range(MOST_SEEDS):  # on a busy machine, the processes of some seeds die before one has the lease
        leaders += massacre(eight, backend, seed)
        if leaders and seed >= SEEDS:
            break
    assert leaders > 0


def massacre(eight: Fleet, backend: Backend, seed: int) -> int:
    """Kill several during one renewal, and return how many of them had the lease."""
    choice = Random(seed)  # noqa: S311  # it chooses, and hides nothing
    eight.expire()
    eight.provider.requests.clear()
    before = eight.turn()
    deaths = {victim: death(eight.now, choice) for victim in choice.sample(eight.members, 6)}
    answers = eight.race(deaths, backend.expire_leases)
    dead = [member for member, answer in answers.items() if answer.died]
    lost = statuses(eight).count(200) - (eight.turn() - before)
    alive = [answer for answer in answers.values() if not answer.died]
    eight.replace(*dead)
    everybody = [*alive, *eight.ask().values()]
    story = seed, deaths.values(), statuses(eight), everybody
    assert set(dead) <= set(deaths), story
    if not lost:
        assert len({answer.token for answer in everybody}) == 1, story
        assert {(answer.error, answer.different) for answer in everybody} == {(None, 1)}, story
        assert statuses(eight) == [200], story
    else:  # the server answered a process that is dead: every process, also a new one, gets the error of that name
        assert lost == 1, story
        assert any(member.asking for member in dead), story
        assert {answer.error for answer in everybody} == {"InvalidGrant"}, story
        assert set(statuses(eight)[1:]) == {400}, story
        eight.login()
    return sum(member.holds for member in dead)


def death(now: float, choice: Random) -> Order:
    match choice.randrange(4):
        case 0:
            return Order(now, die_at=choice.randint(1, 12))
        case 1:
            return Order(now, die_after=choice.uniform(0.001, 0.08))
        case _:
            return Order(now, die_leading=choice.randint(1, 4))  # load, request, commit, release


def test_a_process_whose_clock_is_5_minutes_off_costs_no_grant(eight: Fleet) -> None:
    members = list(eight.members)
    for off in (300.0, -300.0):
        eight.start(["blocking", "asyncio"], clock_is_off_by=off)
    try:
        for _ in range(10):
            eight.expire()
            answers = eight.ask()
            assert {answer.error for answer in answers.values()} == {None}
            assert eight.provider.token_requests <= 3 * 10  # two are fast, and each may find the token expired
        assert set(statuses(eight)) == {200}
    finally:
        for member in eight.members[len(members) :]:
            member.end()
        eight.members = members


def test_every_process_reports_a_store_that_lost_everything_and_a_new_login_recovers(
    eight: Fleet, backend: Backend
) -> None:
    one_token(eight.ask())
    backend.flush()
    eight.expire()
    assert {answer.error for answer in eight.ask().values()} == {"MissingTokenError"}
    assert statuses(eight) == []
    eight.login()
    one_token(eight.ask())


def test_a_store_that_loses_everything_during_a_renewal_is_a_typed_error_for_all(
    eight: Fleet, backend: Backend
) -> None:
    release = threading.Event()
    fault = eight.provider.faults.add("/token", hold=release)
    eight.expire()
    for member in eight.members:
        member.order(Order(eight.now))
    assert fault.arrived.wait(60)
    backend.flush()
    release.set()
    assert {member.answer().error for member in eight.members} == {"MissingTokenError"}
    assert statuses(eight) == [200]


def test_a_store_that_is_restarted_is_an_outage_and_no_loss(eight: Fleet, kept: Kept) -> None:
    first = one_token(eight.ask())
    kept.stop()
    assert one_token(eight.ask()) == first  # still good, and in memory
    eight.expire()
    assert {answer.error for answer in eight.ask().values()} == {"StoreError"}
    assert statuses(eight) == []
    kept.start()
    eight.pass_(120)  # their pauses are over
    assert one_token(eight.ask()) != first
    assert statuses(eight) == [200]


def test_a_store_that_stops_during_a_renewal_gets_the_new_token_when_it_is_back(eight: Fleet, kept: Kept) -> None:
    release = threading.Event()
    fault = eight.provider.faults.add("/token", hold=release)
    eight.expire()
    leader, *others = eight.members
    leader.order(Order(eight.now))
    assert fault.arrived.wait(60)
    kept.stop()
    release.set()
    unsaved = leader.answer().token  # used, though no store has it yet
    assert unsaved is not None
    kept.start()
    leader.order(Order(eight.now + 61))
    assert leader.answer().token == unsaved
    for member in others:
        member.order(Order(eight.now + 61))
    assert {member.answer().token for member in others} == {unsaved}
    assert statuses(eight) == [200]
