"""A full disk and a read-only one: each is one sentence, and no login is lost.

Root may write where modes forbid it, so a mount is what makes a directory read-only here; both need a mount namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from doorkey.cli.accounts import Accounts
from doorkey.dev import Provider
from tests.cli.logins import REALM, logged_in, logged_in_long_ago, refreshes, token_of
from tests.support.cli_runner import COMMAND, Run

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


def on_read_only_disk(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the directory of the accounts is a read-only mount, and check that nothing changes."""
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    mount = f"mount --bind '{home}' '{home}' && mount -o remount,bind,ro '{home}' && exec \"$@\""
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", mount, "sh", *COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "DOORKEY_HOME": str(home)},
    )
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    return done


@pytest.mark.parametrize("command", ["token", "status", "accounts"])
def test_a_read_only_home_can_be_read(run: Run, home: Path, server: Provider, command: str) -> None:
    logged_in(home, server)
    done = on_read_only_disk(home, command)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run(command).stdout


@pytest.mark.parametrize("command", ["login", "logout", "logout --all", "accounts --default work"])
def test_a_read_only_home_is_one_sentence_and_changes_nothing(home: Path, server: Provider, command: str) -> None:
    logged_in(home, server)
    server.requests.clear()
    more = [server.issuer_of(REALM), "--client-id", "x"] if command == "login" else []
    done = on_read_only_disk(home, *command.split(), *more)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith("doorkey: ")
    assert len(done.stderr.splitlines()) == 1
    assert str(home) in done.stderr
    assert len(server.requests) == 0


def test_a_token_that_has_expired_is_not_renewed_on_a_read_only_disk(home: Path, server: Provider) -> None:
    logged_in_long_ago(home, server)
    done = on_read_only_disk(home, "token")
    assert (done.returncode, done.stdout) == (5, "")
    assert f"{home} cannot be written to, so no account can be changed and no token renewed: make it " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert refreshes(server) == 0


def test_a_log_without_its_index_says_why_it_cannot_be_read(home: Path, server: Provider, tmp_path: Path) -> None:
    account = logged_in(home, server)
    copy = tmp_path / "copy"
    copy.mkdir(mode=0o700)
    with Accounts(home) as accounts:
        accounts.save(replace(account, name="second"), token_of(server))
        for name in ("key.json", "tokens.sqlite", "tokens.sqlite-wal"):  # as a backup of a running system has them
            shutil.copy(home / name, copy / name)
    done = on_read_only_disk(copy, "token")
    assert (done.returncode, done.stdout) == (5, "")
    assert f"are in its log, which can only be read if the directory is writable: make {copy}" in done.stderr
