"""The benchmark runs and prints its results. No test depends on a timing."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bench.__main__
from bench.row import Row, exit_status
from bench.table import markdown
from bench.timing import Call, Calls, Comparison, awaiting, blocking, compare

ROOT = Path(__file__).resolve().parents[2]


def measured(*what: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *what, "--effort", "0.01"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == int("NOT MET" in done.stdout), done.stdout + done.stderr  # a timing fails no test
    return done.stdout


def test_the_table_counts_one_token_request_wherever_many_share_a_session() -> None:
    table = measured("threads", "tasks", "loops")
    assert len(re.findall(r"token requests:", table)) == 4
    assert "Every target is met" in table


def test_in_contrast_to_httpx_oauth2_no_caller_hangs_when_the_token_request_fails() -> None:
    table = measured("httpx-oauth2")
    if left_out := re.search(r"left out: .*", table):
        if os.environ.get("DOORKEY_REQUIRE_SERVERS") == "1":
            pytest.fail(left_out[0], pytrace=False)
        pytest.skip(left_out[0])
    assert re.search(r"32 threads, httpx transport +│ 1 +│", table)
    assert re.search(r"threads still waiting .* │ 0 of 32 +│ httpx-oauth2 ", table)


def test_tokens_are_verified_beside_other_libraries_and_an_unknown_kid_costs_one_request() -> None:
    table = measured("--verify")
    for peer in ("raw check and parsing", "PyJWT", "joserfc", "authlib"):
        assert len(re.findall(rf"signature and claims .*│ {peer} [\d.]+ µs", table)) == 2
    assert len(re.findall(r"cached: access token +│ [\d.]+ µs", table)) == 2
    assert re.search(r"10000 tokens with an unknown kid +│ 1 +│ PyJWT \d+", table)


def test_logins_are_measured_beside_authlib_and_open_no_connections() -> None:
    table = measured("--login")
    for framework in ("Flask", "Starlette", "Django"):
        for what in ("login", "API request of a user"):
            assert re.search(rf"{framework}: {what}, per second and worker +│ \d+ +│ authlib \d+ +│ [\d.]+ ± ", table)
        for what in ("logins", "API requests of a user"):
            assert re.search(rf"{framework}: connections for 20 {what} +│ 0 +│ authlib 20 +│", table)
    for what in (
        "Flask: login",
        "Flask: API request of a user",
        "Starlette: login",
        "Starlette: API request of a user",
    ):
        assert re.search(rf"{what}, with `Login`, per second and worker +│ \d+ +│ authlib \d+ +│ [\d.]+ ± ", table)


def test_the_page_says_what_is_not_met() -> None:
    page = markdown([Row("a", "2 ms", "peer 1 ms", "2.00", "≤ 1.00", met=False), Row("b", "1", "2", met=True)])
    assert "| a | 2 ms | peer 1 ms | 2.00 | ≤ 1.00 | NOT MET |" in page
    assert "| b | 1 | 2 |  |  | met |" in page
    assert "authlib 1." in page


def test_a_target_that_is_not_met_is_an_error_and_a_line_without_a_target_is_none() -> None:
    met, without, missed = Row("a", "1", "2", met=True), Row("b", "1", "2"), Row("c", "2", "1", met=False)
    assert (exit_status([met, without]), exit_status([met, without, missed])) == (0, 1)


@pytest.mark.parametrize("met", [True, False, None])
def test_the_command_fails_if_a_target_is_not_met(monkeypatch: pytest.MonkeyPatch, met: bool | None) -> None:
    def measure(_: object, effort: float) -> list[Row]:
        return [Row("a row", str(effort), "a peer", met=met)]

    monkeypatch.setitem(bench.__main__.MEASUREMENTS, "import", measure)
    monkeypatch.setattr(sys, "argv", ["./dev bench", "import"])
    assert bench.__main__.main() == (met is False)


def test_contenders_take_turns_in_changing_order() -> None:
    turns: list[str] = []

    def contender(name: str) -> Calls:
        def make(calls: int) -> list[Call]:
            turns.append(name)
            return [Call(1.0, 1.0)] * calls

        return make

    found = compare({"a": contender("a"), "b": contender("b")}, limit=0.0)
    assert "".join(turns[:10]) == "ab" + "abbabaab"
    assert found.rounds == 40
    assert all(turns[2:].count(name) == 40 for name in "ab")


def test_contenders_are_compared_within_each_round_so_that_a_slow_machine_changes_no_ratio() -> None:
    slowness = [1.0, 7.0, 1.2, 30.0, 2.0]
    seconds = {"bare": slowness, "ours": [1.1 * slow for slow in slowness]}
    value, error = Comparison(seconds, seconds).ratio("ours", "bare")
    assert value == pytest.approx(1.1)
    assert error == pytest.approx(0.0)


def test_an_interruption_of_one_round_moves_no_ratio_and_widens_its_interval() -> None:
    seconds = {"bare": [1.0] * 9, "ours": [1.1, 1.1, 9.0, 1.2, 1.1, 1.0, 1.1, 8.0, 1.1]}
    value, error = Comparison(seconds, seconds).ratio("ours", "bare")
    assert value == pytest.approx(1.1)
    assert error > 0


def test_calls_are_timed_one_by_one() -> None:
    made: list[str] = []
    assert len(blocking(lambda: made.append("one"))(3)) == 3

    async def call() -> None:
        made.append("awaited")

    with asyncio.Runner() as runner:
        assert len(awaiting(call, runner.run)(2)) == 2
    assert made == ["one"] * 3 + ["awaited"] * 2


def test_importing_the_bench_leaves_the_environment_as_it_is() -> None:
    program = "import os; before = dict(os.environ); import bench.__main__; assert dict(os.environ) == before"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)
