"""Every Python block of the README and the documents runs, on the embedded provider, in the order of the page.

A TOML block becomes the file that the page calls `provider.toml`. The README alone asks the Keycloak of its readers, at
localhost:8080, and says so; what it asks there is asked of the embedded provider.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from doorkey import TokenVault
from doorkey.dev import Provider
from tests.support.django_project import project

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
TOML = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
KEYCLOAK = "http://localhost:8080"
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs(
    page: Path, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text("utf-8")
    for file in TOML.finditer(text):
        (tmp_path / "provider.toml").write_text(file[1], "utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": page.stem}
    with project() if "from django" in text else nullcontext():
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            source = block[1].replace(KEYCLOAK, f"http://localhost:{provider.port}")
            exec(compile("\n" * line + source, str(page), "exec", dont_inherit=True), names)  # noqa: S102  # our own pages
            if "async def main" in source and "asyncio.run(main())" not in source:
                asyncio.run(names["main"]())
    for value in names.values():
        if hasattr(value, "fetch_token") and hasattr(value, "close") and not isinstance(value, type):
            value.close()


@pytest.mark.parametrize(
    "page", [page for page in WITH_CODE if page != README], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_page_needs_no_server_that_it_does_not_start(page: Path) -> None:
    assert [block[0] for block in BLOCK.finditer(page.read_text("utf-8")) if KEYCLOAK in block[1]] == []


def test_a_login_with_a_verified_id_token_and_userinfo_takes_ten_lines() -> None:
    setup, login = BLOCK.findall((ROOT / "docs" / "openid.md").read_text("utf-8"))[:2]
    assert "id_token_claims" in login
    assert ".userinfo()" in login
    imports = [line for line in setup.splitlines() if "OAuth2Session" in line]
    assert len([*imports, *(line for line in login.splitlines() if line.strip())]) <= 10


@pytest.mark.parametrize("framework", ["FastAPI", "Flask", "Django"])
def test_an_api_is_protected_in_ten_lines(framework: str) -> None:
    text = (ROOT / "docs" / "protecting-an-api" / "frameworks.md").read_text("utf-8")
    first = BLOCK.findall(text.split(f"\n## {framework}\n")[1])[0]
    assert f"{framework}Guard(AccessTokenVerifier(" in first
    assert len([line for line in first.splitlines() if line.strip()]) <= 10


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    missing: list[str] = []
    for path, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", text):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(path + anchor)
    assert missing == []


def test_the_vaults_page_names_every_option() -> None:
    text = (ROOT / "docs" / "vault.md").read_text("utf-8")
    options = [name for name in inspect.signature(TokenVault).parameters if name not in {"store", "client_id"}]
    assert [name for name in options if f"| `{name}=`" not in text and f", `{name}=`" not in text] == []


def test_the_readme_says_what_its_first_example_needs() -> None:
    text = README.read_text("utf-8")
    before_the_first_block = text[: text.index("```python")].split("\n\n")[-2:]
    assert "Keycloak at port 8080" in "\n".join(before_the_first_block)
    assert "with Provider() as provider:" in BLOCK.findall(text)[1]


@pytest.mark.parametrize("which", range(len(BLOCK.findall(README.read_text("utf-8")))))
def test_each_program_of_the_readme_runs_alone(which: int, provider: Provider) -> None:
    source = BLOCK.findall(README.read_text("utf-8"))[which].replace(KEYCLOAK, f"http://localhost:{provider.port}")
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(source, str(README), "exec", dont_inherit=True), names)  # noqa: S102  # our own page
    if "client" in names:
        names["client"].close()


def test_every_extra_that_a_page_names_exists_and_each_login_has_its_framework_and_an_http_client() -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = {page: re.findall(r"doorkey\[([\w,-]+)\]", page.read_text("utf-8")) for page in PAGES}
    extras = {extra for several in named.values() for group in several for extra in group.split(",")}
    assert extras - set(known) == set()
    logins = ["flask,dev,requests", "fastapi,dev,httpx2", "django,dev,requests"]
    assert [group for group in logins if group not in named[README]] == []
    for page, group in zip(("logins.md", "logins.md", "logins/django.md"), logins, strict=True):
        assert group in named[ROOT / "docs" / page]


def test_the_readme_names_its_documents_and_links_to_nothing_that_a_package_index_lacks() -> None:
    text = README.read_text("utf-8")
    assert re.findall(r"\]\((?!https?://)([^)]*)\)", text) == []  # a package index shows the page without the files
    named = set(re.findall(r"`((?:docs/)?[\w/-]+\.md)`", text))
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []
