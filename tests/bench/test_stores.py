"""The rows and the page of the benchmark of the stores. No test depends on a timing."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench import stores
from bench.names import HTTPX_OAUTH2, OURS
from bench.stores_drawing import draw
from bench.stores_keys import Growth, among_ours
from bench.stores_keys_peers import among_msal
from bench.stores_memory import BUDGET, Memory, of_a_vault
from bench.stores_page import page
from bench.stores_places import Place
from bench.stores_waits import Waits

WAITS = [Waits(OURS, "sqlite", 1, 0.101, 0.105, 1.0, None), Waits("msal", "file", 8, 0.0, 0.0, 8.0, 1)]
GROWTH = [Growth(OURS, "sqlite", 10, 80e-6, 1e-3), Growth("msal", "file", 10, 30e-6, 2.5)]
BESIDE = Growth(HTTPX_OAUTH2, "this process", 1000, 2e-6, None, 300 * 2**20)


def test_a_copied_database_is_read_and_replaced_through_the_vault(tmp_path: Path) -> None:
    place = Place("sqlite", str(tmp_path / "tokens.db"))
    rows = among_ours(place, 0.0001)
    assert [(row.kind, row.keys) for row in rows] == [("sqlite", 10), ("sqlite", 100)]
    memory = of_a_vault(place, 100)
    assert (memory.keys, memory.remembered) == (100, 100)


def test_msal_finds_every_account_of_its_file() -> None:
    assert [(row.library, row.keys) for row in among_msal(0.0001)] == [("msal", 10), ("msal", 100)]


@pytest.mark.parametrize(("grown", "said"), [(BUDGET, "met"), (BUDGET + 2**20, "NOT MET")])
def test_the_page_holds_the_memory_of_a_vault_against_its_budget(grown: int, said: str) -> None:
    text = page(WAITS, [*GROWTH, BESIDE], Memory("sqlite", 1000, grown, 10, 0.1), 0.1)
    assert f"| doorkey | 1,000 | {grown // 2**20} MiB | ≤ 64 MiB | {said} |" in text
    assert "| httpx-oauth2 | 1,000 | 300 MiB |" in text


def test_the_page_says_after_how_many_rotations_a_grant_is_lost() -> None:
    text = page(WAITS, GROWTH, Memory("sqlite", 1000, 0, 10, 0.1), 0.1)
    assert "| doorkey | sqlite | 1 | 101 ms | 105 ms | 1.05 |  | 1.00 | kept |" in text
    assert "| msal | file | 8 |  |  |  |  | 8.00 | lost in rotation 1 |" in text
    assert "| msal | file | 10 | 30.0 µs | 2.5 s |" in text


@pytest.mark.parametrize(("p99", "said"), [(0.15, "1.50 | ≤ 1.50, met"), (0.16, "1.60 | ≤ 1.50, NOT MET")])
def test_the_page_holds_the_wait_of_eight_processes_against_its_target(p99: float, said: str) -> None:
    eight = Waits(OURS, "redis", 8, 0.11, p99, 1.0, None)
    assert f"| {said} | 1.00 | kept |" in page([eight], GROWTH, Memory("sqlite", 1000, 0, 10, 0.1), 0.1)


@pytest.mark.parametrize(("grown", "status"), [(BUDGET, 0), (BUDGET + 2**20, 1)])
def test_the_command_fails_if_a_target_is_not_met(monkeypatch: pytest.MonkeyPatch, grown: int, status: int) -> None:
    found = (WAITS, [*GROWTH, BESIDE], Memory("sqlite", 1000, grown, 10, 0.1))

    def measure(effort: float, console: Console) -> object:
        return found

    monkeypatch.setattr(stores, "measure", measure)
    assert stores.main(1.0, Console(file=io.StringIO()), page=False) == status


def test_both_pictures_are_drawn(tmp_path: Path) -> None:
    draw(tmp_path, WAITS, [*GROWTH, BESIDE], 0.1)
    assert {file.name for file in tmp_path.iterdir()} == {"bench-stores-workers.png", "bench-stores-keys.png"}
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in tmp_path.iterdir())
