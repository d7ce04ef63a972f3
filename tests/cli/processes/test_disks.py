"""A full disk and a read-only one: each is one sentence, and no login is lost.

Root may write where modes forbid it, so a mount is what makes a directory read-only here; both need a mount namespace.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import REALM, logged_in
from tests.cli.running import COMMAND

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE = ("unshare", "--map-root-user", "--mount")


@cache
def has_mount_namespaces() -> bool:
    try:
        return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(not has_mount_namespaces(), reason="this system has no mount namespaces for users")


def test_a_renewal_on_a_full_disk_is_either_saved_or_not_begun(home: Path, server: Provider, tmp_path: Path) -> None:
    where = tmp_path / "disk"
    where.mkdir()
    command = [*NAMESPACE, sys.executable, "-m", "tests.cli.processes.full_disk", str(where), server.issuer_of(REALM)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert {one["during"] for one in outcomes} == {"STORAGE", "token"}
    assert any(one["reserve used"] for one in outcomes)
    assert [one for one in outcomes if one["after"] != "token"] == []  # the refresh token was never lost


@pytest.mark.parametrize("command", ["token", "login", "logout", "status"])
def test_a_read_only_home_is_one_sentence_and_changes_nothing(home: Path, server: Provider, command: str) -> None:
    logged_in(home, server)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    arguments = [command, server.issuer_of(REALM), "--client-id", "x"] if command == "login" else [command]
    mount = f"mount --bind '{home}' '{home}' && mount -o remount,bind,ro '{home}' && exec \"$@\""
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", mount, "sh", *COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("doorkey: ")
    assert len(done.stderr.splitlines()) == 1
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
