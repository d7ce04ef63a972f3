"""The README: each program runs as a file of its own, and the page on a package index has no broken link."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.servers.browser import Browser

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)]*)\)")


def test_the_readme_is_short_and_has_its_three_programs() -> None:
    assert len(TEXT.splitlines()) <= 200
    first, asynchronous, login = PROGRAMS
    assert "OAuth2Auth(" in first
    assert "async with" in asynchronous
    assert "login.mount(app)" in login


@pytest.mark.parametrize(
    ("program", "printed"),
    list(zip(PROGRAMS, ["200\n200\n200\ntoken requests: 1\n", f"{[200] * 20} token requests: 1\n", ""], strict=True)),
    ids=["first", "asynchronous", "login"],
)
def test_each_program_runs_as_a_file_of_its_own(program: str, printed: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(program, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "main.py"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


def test_a_user_logs_in_to_the_program_of_five_lines(tmp_path: Path) -> None:
    program = tmp_path / "main.py"
    program.write_text(PROGRAMS[2], "utf-8")
    names = runpy.run_path(str(program))
    with TestClient(names["app"], base_url="http://localhost:8000") as browser:
        leaves = browser.get("/", headers={"Accept": "text/html"}, follow_redirects=False)
        to_provider = browser.get(leaves.headers["Location"], follow_redirects=False).headers["Location"]
        with Browser("the embedded provider", "alice", "wonderland") as alice:
            callback = alice.authorize(to_provider, "http://localhost:8000/auth/callback")
        assert browser.get(callback).json() == "Hello Alice Example"
    lines = [line for line in PROGRAMS[2].splitlines() if "login" in line.lower()]
    assert len(lines) <= 5


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = [link for link in LINK.findall(TEXT) if "://" not in link]
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_page_of_a_package_index_has_no_link_and_no_picture_that_needs_the_repository() -> None:
    read = [sys.executable, "-m", "hatchling", "metadata", "readme"]  # made by hatch_build.py
    page = subprocess.run(read, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [link for link in LINK.findall(page) if "://" not in link] == []
    assert re.findall(r"<(?:img|picture|source)\b", page) == []
    assert "log users in (`docs/logins.md`)" in page.replace("Log users in", "log users in")
    for program in PROGRAMS:
        assert program in page


@pytest.mark.parametrize(
    "picture",
    [
        "![The demo](docs/demo.svg)\n\n",
        '<img alt="The demo" src="docs/demo.svg">\n\n',
        '<picture>\n  <source srcset="docs/dark.svg">\n  <img src="docs/demo.svg">\n</picture>\n\n',
    ],
)
def test_pictures_of_the_repository_are_not_in_the_page_of_a_package_index(picture: str) -> None:
    names = runpy.run_path(str(ROOT / "hatch_build.py"))
    assert names["page_of_an_index"](f"Before.\n\n{picture}See [the demo](docs/demo.md).\n") == (
        "Before.\n\nSee the demo (`docs/demo.md`).\n" + names["FILES"]
    )
    kept = "![A badge](https://example.org/badge.svg) and [RFC 6749](https://example.org/rfc6749)\n"
    assert names["page_of_an_index"](kept) == kept


def test_with_a_public_address_the_links_of_the_page_of_a_package_index_lead_there(tmp_path: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    urls = '[project.urls]\nSource = "https://code.example/doorkey/"\n\n[project.scripts]'
    (tmp_path / "pyproject.toml").write_text(project.replace("[project.scripts]", urls), "utf-8")
    for name in ("hatch_build.py", "README.md", "LICENSE", "src/doorkey/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    read = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    page = subprocess.run(read, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "[sessions](https://code.example/doorkey/docs/sessions.md)" in page
    assert [link for link in LINK.findall(page) if "://" not in link] == []
    assert "in the source distribution." not in page
