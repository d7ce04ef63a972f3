"""The demo as a user runs it, and what it says of each of its six steps."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROMISED = (
    r"token +\{'access_token': '\*\*\*', 'token_type': 'Bearer'",
    r"answer +\(200, '[1-9]\d*'\) +✓",
    r"Authorization +Bearer \S+…\S{8}  then  Bearer \S+…\S{8} +✓\nanother token +yes +✓",
    r"error +invalid_grant: Session not active +✓",
    r"answers +32 of 32 threads got 200 +✓\ntoken requests +1 +✓",
    r"asked with +state, nonce, code_challenge, code_challenge_method +✓\n.*\nlogged in +alice +✓",
)


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "HTTP_PROXY": "http://127.0.0.1:9", "PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr


def kept_its_promises(output: str) -> None:
    at = 0
    for number, promise in enumerate(PROMISED, 1):
        found = re.compile(promise).search(output, at)
        assert found, f"step {number} does not show {promise!r} after:\n{output[at:]}"
        at = found.end()
    assert "All 6 steps did what they say" in output
    assert "✗" not in output
    assert not re.search(r"eyJ[\w-]{30,}", output), "a token was printed in full"


def test_every_step_does_what_it_says_on_the_embedded_provider() -> None:
    code, output = run()
    kept_its_promises(output)
    assert code == 0


@pytest.mark.usefixtures("keycloak")  # so that it is installed, or its absence told as everywhere
def test_every_step_does_what_it_says_on_a_real_keycloak() -> None:
    code, output = run("--keycloak")
    kept_its_promises(output)
    assert code == 0


def test_a_step_that_does_not_hold_makes_the_demo_fail() -> None:
    broken = (
        "import sys; from dataclasses import replace; import demo.steps as steps; from demo.outcome import Fact; "
        "steps.STEPS = tuple(replace(s, shows=lambda place: [Fact('a', 'b', False)]) for s in steps.STEPS[:2]); "
        "sys.argv = ['demo']; from demo.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", broken], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "not as promised" in done.stdout
    assert "step 1, 2" in done.stdout
