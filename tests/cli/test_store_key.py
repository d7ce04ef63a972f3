"""Where the key of the token store is kept: the keyring if it responds in time, else a private file."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from doorkey.cli import keyring_calls
from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.home import make_home
from doorkey.cli.store_key import FILE, StoreKey, delete_key, store_key

UNUSABLE = {
    "Locked": "it is locked",
    "Hanging": "it did not respond within 0.1 seconds",
    "Broken": "it failed with ZeroDivisionError",
    "fail": "this system has none",
    "null": "it does not return a secret that was stored in it",
}


def select(monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path) -> None:
    """Have the package keyring use one of the tests' backends, or one of its own."""
    import keyring.core

    own = {"fail": "keyring.backends.fail.Keyring", "null": "keyring.backends.null.Keyring"}
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", own.get(name, f"tests.cli.keyrings.{name}"))
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setattr(keyring_calls, "LIMIT", 5.0 if name != "Hanging" else 0.1)
    keyring.core.init_backend()


@pytest.fixture
def place(home: Path) -> Path:
    make_home(home)
    return home


def made(home: Path) -> StoreKey:
    key = store_key(home, may_make=True)
    assert key is not None
    return key


def test_a_keyring_keeps_the_key_and_the_file_only_names_it(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    select(monkeypatch, "InFile", tmp_path)
    key = made(place)
    assert capsys.readouterr().err == ""
    assert json.loads((place / FILE).read_text()) == {"version": 1, "id": key.name, "place": "keyring"}
    assert key.place == "the keyring of the operating system"
    assert store_key(place, may_make=False) == key
    assert len(key.value) == 32
    delete_key(place)
    assert not (place / FILE).exists()
    assert json.loads((tmp_path / "keyring.json").read_text()) == {}


@pytest.mark.parametrize("name", UNUSABLE)
def test_without_a_usable_keyring_the_key_is_in_a_private_file_and_a_message_says_so_once(
    name: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    select(monkeypatch, name, tmp_path)
    key = made(place)
    told = capsys.readouterr().err
    assert f"is not used ({UNUSABLE[name]}). The key of the token store is in {place / FILE}" in told
    assert stat.S_IMODE((place / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert made(place) == key
    assert capsys.readouterr().err == ""
    assert [path.name for path in place.iterdir()] == [FILE]


@pytest.mark.parametrize(("name", "reason"), list(UNUSABLE.items())[:4])
def test_a_keyring_that_fails_later_loses_nothing(
    name: str, reason: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, "InFile", tmp_path)
    key = made(place)
    before = (place / FILE).read_bytes()
    select(monkeypatch, name, tmp_path)
    with pytest.raises(CommandError, match=f"is in the keyring .*, but {reason}: unlock") as caught:
        made(place)
    assert caught.value.status == ExitStatus.STORAGE
    assert (place / FILE).read_bytes() == before
    select(monkeypatch, "InFile", tmp_path)
    assert made(place) == key


def test_a_keyring_that_lost_the_key_says_how_to_start_again(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, "InFile", tmp_path)
    made(place)
    (tmp_path / "keyring.json").unlink()
    with pytest.raises(CommandError, match=r"no longer has the key .* 'doorkey logout --all'"):
        made(place)


UNREADABLE = {
    "truncated": b'{"version": 1, "id": "abc"',
    "empty": b"",
    "an array": b"[]",
    "another program's": b'{"token": "x"}',
    "without a key": b'{"version": 1, "id": "abc", "place": "file"}',
    "with a short key": b'{"version": 1, "id": "abc", "place": "file", "key": "QUJD"}',
    "with a key that is no base64": b'{"version": 1, "id": "abc", "place": "file", "key": "!"}',
    "huge": b'{"version": 1, "id": "abc", "x": "' + b"x" * 5000 + b'"}',
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_file_that_is_no_key_is_left_as_it_is(content: bytes, place: Path) -> None:
    (place / FILE).touch(0o600)
    (place / FILE).write_bytes(content)
    with pytest.raises(CommandError, match=r"key\.json is damaged.*; it was left as it is: .*logout --all") as caught:
        made(place)
    assert caught.value.status == ExitStatus.STORAGE
    assert (place / FILE).read_bytes() == content


def test_the_file_of_a_newer_version_asks_for_an_upgrade(place: Path) -> None:
    (place / FILE).touch(0o600)
    (place / FILE).write_text('{"version": 2, "id": "abc", "place": "moon"}')
    with pytest.raises(
        CommandError, match="was written by a newer version of doorkey; it was left as it is: upgrade doorkey"
    ):
        made(place)


def test_a_file_that_others_can_read_is_rejected(place: Path) -> None:
    made(place)
    (place / FILE).chmod(0o644)
    with pytest.raises(CommandError, match="is open to others") as caught:
        made(place)
    assert caught.value.status == ExitStatus.STORAGE


def test_a_symbolic_link_is_rejected(place: Path, tmp_path: Path) -> None:
    (place / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CommandError, match="is a symbolic link"):
        made(place)


def test_a_directory_that_others_can_write_to_is_rejected(place: Path) -> None:
    place.chmod(0o777)
    with pytest.raises(CommandError, match="other users can write to the directory"):
        made(place)


def test_without_a_store_no_key_is_made(place: Path) -> None:
    assert store_key(place, may_make=False) is None
    assert list(place.iterdir()) == []


def test_two_commands_that_begin_together_have_one_key(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faster: list[StoreKey] = []
    write = keyring_calls.keep_secret

    def meanwhile(name: str, secret: str) -> None:
        monkeypatch.setattr("doorkey.cli.store_key.keep_secret", write)
        faster.append(made(place))  # another command, between this one's look and its file
        write(name, secret)

    monkeypatch.setattr("doorkey.cli.store_key.keep_secret", meanwhile)
    assert made(place) == faster[0]
    assert capsys.readouterr().err.count("The key of the token store is in") == 1
    assert [path.name for path in place.iterdir()] == [FILE]


def in_keyring(tmp_path: Path) -> list[str]:
    return [name.removeprefix("doorkey/") for name in json.loads((tmp_path / "keyring.json").read_text())]


def test_the_slower_of_two_commands_leaves_no_key_in_the_keyring(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, "InFile", tmp_path)
    faster: list[StoreKey] = []
    link = os.link

    def meanwhile(*paths: Path) -> None:
        monkeypatch.setattr(os, "link", link)
        faster.append(made(place))
        link(*paths)

    monkeypatch.setattr(os, "link", meanwhile)
    assert made(place) == faster[0]
    assert in_keyring(tmp_path) == [faster[0].name]
    assert [path.name for path in place.iterdir()] == [FILE]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_a_key_that_an_interrupted_command_left_in_the_keyring_is_deleted_by_the_next_one(
    ending: type[BaseException], place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, "InFile", tmp_path)
    _interrupted(ending, place, monkeypatch)
    assert len(in_keyring(tmp_path)) == 1
    key = made(place)
    assert in_keyring(tmp_path) == [key.name]
    assert [path.name for path in place.iterdir()] == [FILE]


def test_a_logout_of_all_accounts_deletes_the_key_that_an_interrupted_command_left(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, "InFile", tmp_path)
    _interrupted(KeyboardInterrupt, place, monkeypatch)
    delete_key(place)
    assert in_keyring(tmp_path) == []
    assert list(place.iterdir()) == []


def test_a_file_that_cannot_be_made_leaves_no_key_in_the_keyring(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(monkeypatch, "InFile", tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match="No space left on device"):
        made(place)
    assert in_keyring(tmp_path) == []
    assert list(place.iterdir()) == []


def _interrupted(ending: type[BaseException], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """End a command after the keyring has its key, and before `key.json` names it."""

    def interrupt(*_: Path) -> None:
        raise ending

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", interrupt)
        with pytest.raises(ending):
            made(place)
