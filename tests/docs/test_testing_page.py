"""The command of the page about testing: a provider that another process controls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from doorkey.testing import RemoteProvider

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs").rglob("*.md"))
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = "$ DOORKEY_CONTROL_TOKEN=… python -m doorkey.dev --port 8080 --control 8081\n"


def test_every_console_block_runs_an_example_or_is_the_command_of_this_test() -> None:
    """tests/examples/test_shown.py runs the examples, and compares what they print."""
    blocks = [(page.name, block) for page in PAGES for block in CONSOLE.findall(page.read_text("utf-8"))]
    assert [named for named in blocks if not re.match(r"\$ python \w+\.py\n", named[1])] == [("testing.md", COMMAND)]


def test_the_provider_that_the_command_starts_is_controlled_with_the_token_of_the_variable() -> None:
    token = "a-token-of-the-test-1234567890"
    words = COMMAND.replace("8080", "0").replace("8081", "0").split()  # any free ports
    environment = {**os.environ, "DOORKEY_CONTROL_TOKEN": token, "NO_PROXY": "*"}
    command = [sys.executable, *words[words.index("python") + 1 :]]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as provider:
        try:
            assert provider.stdout
            described = iter(provider.stdout.readline, "")
            found = next(match for line in described if (match := re.match(r"control +(\S+) / (.+)", line)))
            assert token not in found[2]
            with RemoteProvider(found[1], token) as remote:
                assert remote.token("alice").count(".") == 2
        finally:
            provider.terminate()
