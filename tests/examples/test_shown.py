"""The pages show the files of examples/ as they are, and state what each program prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.servers.handle import RealServer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FILES = sorted(
    str(path.relative_to(ROOT))
    for path in EXAMPLES.rglob("*")
    if path.suffix in {".py", ".toml"} and "__pycache__" not in path.parts
)
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SHOWN = re.compile(r'^```\w+ title="(examples/[^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^```console\n\$ python (\w+\.py)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(page, *found) for page in PAGES for found in SHOWN.findall(page.read_text("utf-8"))]


def run(program: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return what the program of this path prints; a warning or an error fails the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "DOORKEY_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / program],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def printed(program: str) -> str:
    """Return what the page that shows the program says that it prints."""
    (text,) = {page.read_text("utf-8") for page, name, _ in BLOCKS if name == program}
    (output,) = [lines for name, lines in CONSOLE.findall(text) if name == Path(program).name]
    return str(output)


@pytest.mark.parametrize("file", FILES)
def test_a_page_shows_the_file_as_it_is(file: str) -> None:
    texts = [text for _, name, text in BLOCKS if name == file]
    assert texts, f"no page shows {file}"
    assert {*texts} == {(ROOT / file).read_text("utf-8")}


def test_a_page_shows_no_file_that_does_not_exist() -> None:
    assert {name for _, name, _ in BLOCKS} - {*FILES} == set()


def test_the_list_of_examples_names_each_of_them_and_its_page() -> None:
    text = (EXAMPLES / "README.md").read_text("utf-8")
    listed = {
        name for row in re.findall(r"^\| (`.*`) \|", text, re.MULTILINE) for name in re.findall(r"`([\w./]+)`", row)
    }
    folders = {f"{Path(file).parts[1]}/" for file in FILES if len(Path(file).parts) > 2}
    assert listed == folders | {Path(file).name for file in FILES if len(Path(file).parts) == 2}
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not (EXAMPLES / link).is_file()] == []


@pytest.mark.parametrize("program", ["call_an_api", "call_an_api_async", "service_account"])
def test_the_program_prints_what_its_page_says(program: str, tmp_path: Path) -> None:
    path = f"examples/{program}.py"
    assert run(path, tmp_path, {}) == printed(path)


def test_workers_that_share_redis_renew_a_token_once(redis_server: RealServer, tmp_path: Path) -> None:
    path = "examples/worker_fleet.py"
    assert run(path, tmp_path, {"REDIS": redis_server.origin}) == printed(path)


Serve = Callable[[str, Path], str]


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_the_api_answers_the_client_as_the_page_says(framework: str, tmp_path: Path, serve: Serve) -> None:
    from doorkey.dev import Provider, read_config

    config = read_config(EXAMPLES / "protect_an_api" / "provider.toml")
    with Provider(clients=config.clients, users=config.users, realms=config.realms) as provider:
        api = serve(provider.issuer, EXAMPLES / "protect_an_api" / f"api_{framework}.py")
        program = "examples/protect_an_api/client.py"
        assert run(program, tmp_path, {"ISSUER": provider.issuer, "API": api}) == printed(program)


def test_the_tests_of_the_application_pass(tmp_path: Path) -> None:
    for name in ("shop.py", "test_shop.py"):
        (tmp_path / name).write_text((EXAMPLES / "testing" / name).read_text("utf-8"), "utf-8")
    (tmp_path / "pytest.ini").touch()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
