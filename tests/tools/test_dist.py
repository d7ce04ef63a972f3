"""`./dev dist`: the distributions are reproducible and complete, and each fault of one has a name."""

import re
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import doorkey
from tools.dist import __main__ as command
from tools.dist import building
from tools.dist.__main__ import BUILD, COMPLETE, LOCKS, OF_QUICK, QUICK, main
from tools.dist.building import Built, NotReproducible, build, tracked
from tools.dist.contents import problems, required_by
from tools.dist.locks import blocks, closure, file_line, versions

ROOT = Path(__file__).resolve().parents[2]
VERSION = doorkey.__version__

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """One build, which `build` has compared with a second one."""
    return build(Path(sys.executable), tmp_path_factory.mktemp("dist"))


@pytest.fixture
def copy(built: Built, tmp_path: Path) -> Built:
    return Built(*(Path(shutil.copy2(one, tmp_path)) for one in (built.wheel, built.sdist)))


def rewritten(wheel: Path, change: Callable[[str, bytes], bytes | None], renamed: tuple[str, str] = ("", "")) -> None:
    """Replace each file of a wheel by what `change` makes of it; None removes it. `renamed`: in their names."""
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            if (new := change(name, content)) is not None:
                archive.writestr(name.replace(*renamed), new)


def found(built: Built) -> list[str]:
    return list(problems(built, tracked(), VERSION))


def test_two_builds_of_a_commit_are_equal_and_complete(built: Built) -> None:
    assert found(built) == []
    with zipfile.ZipFile(built.wheel) as wheel:
        assert "doorkey/py.typed" in wheel.namelist()
        newest = max(one.date_time for one in wheel.infolist())
    with tarfile.open(built.sdist) as sdist:
        times = {int(member.mtime) for member in sdist}
    assert times == {int(building.epoch())}
    assert newest <= (2100, 1, 1, 0, 0, 0)


def test_a_build_that_depends_on_its_time_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times: Iterator[str] = iter(("1700000000", "1700086400"))
    monkeypatch.setattr(building, "epoch", lambda: next(times))
    with pytest.raises(NotReproducible, match="has other bytes"):
        build(Path(sys.executable), tmp_path)


def test_the_timestamp_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert building.epoch() == "1700000000"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert re.fullmatch(r"\d{10}", building.epoch())


def test_a_wheel_without_a_file_of_the_package_is_refused(copy: Built) -> None:
    rewritten(copy.wheel, lambda name, content: None if name.endswith("py.typed") else content)
    assert found(copy) == ["the wheel lacks doorkey/py.typed"]


def test_a_wheel_with_another_file_is_refused(copy: Built) -> None:
    with zipfile.ZipFile(copy.wheel, "a") as wheel:
        wheel.writestr("tests/__init__.py", "")
    assert found(copy) == ["the wheel has tests/__init__.py, which is not part of the package"]


def test_a_source_distribution_that_lacks_a_file_is_refused(copy: Built) -> None:
    assert list(problems(copy, [*tracked(), "another.toml"], VERSION)) == ["the source distribution lacks another.toml"]
    without = [name for name in tracked() if name != "mkdocs.yml"]
    assert list(problems(copy, without, VERSION)) == ["the source distribution has mkdocs.yml"]


def test_another_version_than_that_of_the_package_is_refused(copy: Built) -> None:
    assert "the wheel is not of version 9.9" in list(problems(copy, tracked(), "9.9"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            b"Requires-Dist: joserfc>=",
            b"Requires-Dist: requests>=",
            "the package alone requires cryptography, requests",
        ),
        (b"Provides-Extra: server\n", b"", "there is no extra server"),
        (b"Requires-Dist: flask>=3.0; extra == 'all'\n", b"", "the extra all lacks flask>=3.0"),
        (b"Requires-Python: >=3.11", b"Requires-Python: >=3.8", "Requires-Python of the metadata is '>=3.8'"),
        (b"text/markdown", b"text/plain", "Description-Content-Type of the metadata is 'text/plain'"),
        (b"# doorkey", b"# doorkey [a](docs/vault.md)", "a package index has no file for the link ](docs/vault.md)"),
    ],
)
def test_a_page_or_metadata_that_a_package_index_cannot_use_is_refused(
    copy: Built, old: bytes, new: bytes, told: str
) -> None:
    rewritten(copy.wheel, lambda name, content: content.replace(old, new, 1) if name.endswith("/METADATA") else content)
    assert [problem for problem in found(copy) if problem.startswith(told)]


def test_a_release_whose_page_has_figures_of_a_development_version_is_refused(copy: Built) -> None:
    old, new = VERSION.encode(), b"9.9"
    rewritten(
        copy.wheel, lambda name, content: content.replace(b"Version: " + old, b"Version: " + new, 1), (VERSION, "9.9")
    )
    problem = next(one for one in problems(copy, tracked(), "9.9") if "figures" in one)
    assert problem.startswith(f"the page of version 9.9 has figures of doorkey {VERSION}: ")


def test_the_package_alone_is_installed_with_its_two_libraries(built: Built) -> None:
    alone = closure(["doorkey"], blocks(*LOCKS), required_by(built.wheel))
    names = {line.partition("==")[0] for line in alone.splitlines() if not line.startswith(" ")}
    assert names == {"joserfc", "cryptography", "cffi", "pycparser"}
    assert all("--hash=sha256:" in block for block in blocks(*LOCKS).values())


def test_an_extra_brings_what_it_needs_and_nothing_of_another_extra(built: Built) -> None:
    needed = closure([f"doorkey[{','.join(OF_QUICK)}]"], blocks(*LOCKS), required_by(built.wheel))
    names = {line.partition("==")[0] for line in needed.splitlines() if not line.startswith(" ")}
    assert {"requests", "urllib3", "httpx2", "httpx", "anyio", "starlette", "uvicorn", "h11"} <= names
    assert not {"flask", "django", "redis", "sqlalchemy", "click"} & names - {"click"}  # uvicorn needs click


def test_dev_is_another_name_of_the_extra_server(built: Built) -> None:
    server, dev = (
        closure([f"doorkey[{extra}]"], blocks(*LOCKS), required_by(built.wheel)) for extra in ("server", "dev")
    )
    assert server == dev


def test_the_wheel_is_installed_by_its_hash(built: Built) -> None:
    line = file_line(built.wheel, "[requests]")
    assert re.fullmatch(r"doorkey\[requests\] @ file:///\S+\.whl --hash=sha256:[0-9a-f]{64}\n", line)


def test_each_python_has_its_version_of_a_package(tmp_path: Path) -> None:
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    old, new = (
        f"some==1.{n} ; python_version {op} '3.12' \\\n    --hash=sha256:{n}" for n, op in ((1, "<"), (2, ">="))
    )
    first.write_text(f"{old}\n{new}\n", "utf-8")
    second.write_text("some==1.3\nother==1.0\n", "utf-8")
    assert blocks(first, second) == {"some": f"{old}\n{new}", "other": "other==1.0"}
    assert versions(first) == "some==1.1 ; python_version < '3.12'\nsome==1.2 ; python_version >= '3.12'\n"


def test_a_build_of_the_source_distribution_is_pinned_without_hashes() -> None:
    lines = versions(BUILD).splitlines()
    assert {"hatchling", "packaging"} <= {re.sub("==.*", "", line) for line in lines}
    assert all(re.fullmatch(r"[a-z-]+==[0-9.]+( ; .*)?", line) for line in lines)


def test_the_selected_tests_are_there() -> None:
    assert [path for path in (*QUICK, *COMPLETE) if not (ROOT / path.removeprefix("--ignore=")).exists()] == []


def test_the_command_writes_both_files_and_fails_for_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("doorkey.__version__", "9.9")
    assert main(["--only-build", "--out", str(tmp_path)]) == 1
    assert "the wheel is not of version 9.9" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"doorkey-{VERSION}-py3-none-any.whl",
        f"doorkey-{VERSION}.tar.gz",
    ]


def test_the_command_fails_if_the_test_on_one_python_fails(
    built: Built, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_pythons", lambda: ["3.0"])
    assert command._tested(built.wheel.parent, quick=True) == 1
    shown = capfd.readouterr()
    assert "dev: the wheel on Python 3.0, in a new environment" in shown.out
    assert shown.err.splitlines() == [
        "dev: the distributions on 3.0",
        "dev: tests of the installed package failed, see above",
    ]


def test_the_release_page_names_commands_that_exist() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Release")[2]
    for option in set(re.findall(r"`\./dev dist (--[a-z-]+)`", page)):
        assert f'"{option}"' in (ROOT / "tools/dist/__main__.py").read_text("utf-8")
    assert "./dev dist --quick" in (ROOT / ".ci/run").read_text("utf-8")
