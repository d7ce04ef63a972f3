"""The fuzz targets without atheris: on their seeds, on mutations of these, and on any bytes."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorkey.errors import OAuthError, UsageError
from tools.environments import FUZZING, environment
from tools.fuzz.messages import response_of
from tools.fuzz.seeds import SEEDS
from tools.fuzz.targets import TARGETS, only_ours
from tools.interpreters import TESTED, interpreter

ROOT = Path(__file__).resolve().parents[2]
EACH = pytest.mark.parametrize("name", TARGETS)
PIECES = [
    *(bytes([byte]) for byte in b'"\\{}[],:.=&#%\n\0\xff'),
    *(b"\xed\xa0\x80", b"null", b"1e999", b"-1", b"NaN", b"9" * 5000, b"\\ud800", b'""', b"[" * 40, b'{"a":' * 40),
]
ODD: list[Any] = [
    *(None, True, 0, -1, 2**63, 1e308, 10**400, "", "x", "\ud800", "\0", "x" * 5000),
    *([], [None], [[]], [""], ["x", 1], [{}], [{"kty": []}]),
    *({}, {"a": {}}, {"": ""}, {"x5t#S256": []}, {"keys": [None]}, {"jwk": {"kty": "oct"}}),
]


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """A seed of a target with parts that were removed, repeated, exchanged and inserted."""
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(1, 4))):
        start, stop = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        piece = draw(st.sampled_from([*PIECES, b"", data[start:stop], data[start:stop] * 2]) | st.binary(max_size=8))
        data = data[:start] + piece + data[stop:]
    return data


@st.composite
def with_odd_members(draw: st.DrawFn, name: str) -> bytes:
    """A seed of a target whose JSON has other values than it should, in one to three members at any depth."""
    head, separator, body = draw(st.sampled_from(SEEDS[name])).rpartition(b"\n\n")
    try:
        members: dict[str, Any] = json.loads(body)
    except ValueError:
        members = {"a": body.decode("latin-1")}
    for _ in range(draw(st.integers(1, 3))):
        place: dict[str, Any] = members
        key: str = draw(st.sampled_from(sorted(place) or ["typ"]))
        while isinstance(place.get(key), dict) and place[key] and draw(st.booleans()):
            place = place[key]
            key = draw(st.sampled_from(sorted(str(name) for name in place)))
        place[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return head + separator + json.dumps(members).encode()


def test_each_target_has_seeds() -> None:
    assert TARGETS.keys() == SEEDS.keys()
    assert all(SEEDS.values())


@EACH
def test_a_target_accepts_its_seeds_and_their_beginnings(name: str) -> None:
    for seed in SEEDS[name]:
        for cut in range(0, len(seed), max(1, len(seed) // 40)):
            TARGETS[name](seed[:cut])
        TARGETS[name](seed)


@EACH
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_only_an_error_of_ours_leaves_a_parser(name: str, data: st.DataObject) -> None:
    TARGETS[name](data.draw(mutated(name) | with_odd_members(name)))


@EACH
@settings(max_examples=20, deadline=None)
@given(data=st.binary(max_size=200))
def test_only_an_error_of_ours_leaves_a_parser_of_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_a_target_fails_for_a_builtin_error_and_for_an_error_without_bounds() -> None:
    def fails(error: Exception) -> None:
        with only_ours():
            raise error

    too_long = OAuthError("x")
    too_long.exchange = "x" * 20_000
    fails(UsageError("of ours"))
    with pytest.raises(KeyError):
        fails(KeyError())
    with pytest.raises(AssertionError, match="not bounded"):
        fails(too_long)


def test_a_response_is_read_from_text() -> None:
    answer = response_of(b"503\nRetry-After: 5\nContent-Type: text/html\n\n<html>")
    assert (answer.status, answer.header("retry-after"), answer.media_type, answer.body) == (
        503,
        "5",
        "text/html",
        b"<html>",
    )
    assert (response_of(b"").status, response_of(b"junk\n\nbody").body) == (200, b"body")


def test_the_command_fuzzes_a_target_with_atheris(tmp_path: Path) -> None:
    version = next((one for one in reversed(TESTED) if one != "3.11" and interpreter(one)), None)
    if version is None:
        pytest.skip("no Python 3.12 or 3.13 is installed, and atheris has no wheel for 3.11")
    try:
        environment(version, *FUZZING)
    except SystemExit as error:
        pytest.skip(f"the environment of the fuzzers cannot be made: {error}")
    done = subprocess.run(
        [sys.executable, "dev", "fuzz", "--inputs", "2000", "--corpus", str(tmp_path), "challenge"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTHON"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split("stat::number_of_executed_units:")[1].split()[0]) > len(SEEDS["challenge"])
    assert list((tmp_path / "challenge").iterdir()), "no input that reaches new lines was kept"
    assert "no target has failed" in done.stderr


def test_the_command_names_its_targets() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "tools.fuzz", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [name for name in TARGETS if name not in shown] == []
