"""The file of a result takes the place of the one before it as a whole, or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from doorkey.cli.output_file import output_file


def test_the_file_is_there_at_the_end_with_its_mode_and_through_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"before")
    file.chmod(0o640)
    link.symlink_to(file)
    with output_file(str(link)) as written:
        written.write(b"after")
        assert file.read_bytes() == b"before"
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"after", 0o640)
    assert link.is_symlink()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "link"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("before", [b"before", None])
def test_after_an_error_or_ctrl_c_the_file_is_as_it_was(
    tmp_path: Path, error: BaseException, before: bytes | None
) -> None:
    file = tmp_path / "file"
    if before is not None:
        file.write_bytes(before)

    def interrupted() -> None:
        with output_file(str(file)) as written:
            written.write(b"half")
            raise error

    with pytest.raises(type(error)) as raised:
        interrupted()
    assert [one.read_bytes() for one in tmp_path.iterdir()] == ([] if before is None else [before])
    assert getattr(raised.value, "filename", str(file)) == str(file)


@pytest.mark.parametrize("name", ["no-such-directory/file", ""])
def test_a_file_that_cannot_be_written_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)
    with pytest.raises(OSError) as raised, output_file(path):  # noqa: PT011  # the class depends on the system
        raise AssertionError("it was opened")
    assert raised.value.filename == path
    assert not any(tmp_path.iterdir())


def test_a_pipe_is_written_to_at_once(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with output_file(str(pipe)) as written:
        written.write(b"through")
    reader.join(60)
    assert read == [b"through"]
    assert pipe.is_fifo()
