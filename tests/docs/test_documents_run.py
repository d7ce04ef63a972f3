"""Every Python block of the documents runs, on the embedded provider, in the order of the page.

A TOML block becomes the file that the page calls `provider.toml`. No page needs a server that it does not start.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from doorkey import TokenVault
from tests.support.django_project import project

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
TOML = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_CODE = [page for page in PAGES if page != README and BLOCK.search(page.read_text("utf-8"))]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text("utf-8")
    for file in TOML.finditer(text):
        (tmp_path / "provider.toml").write_text(file[1], "utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": page.stem}
    with project() if "from django" in text else nullcontext():
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            source = block[1]
            assert "async def main" not in source or "asyncio.run(main())" in source, "a reader's copy would not run it"
            exec(compile("\n" * line + source, str(page), "exec", dont_inherit=True), names)  # noqa: S102  # our own pages
    for value in names.values():
        ours = type(value).__module__.startswith("doorkey.")
        if ours and hasattr(value, "fetch_token") and hasattr(value, "close"):
            value.close()


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


def test_every_extra_that_a_page_names_exists_and_each_login_has_its_framework_and_an_http_client() -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = {page: re.findall(r"doorkey\[([\w,-]+)\]", page.read_text("utf-8")) for page in PAGES}
    extras = {extra for several in named.values() for group in several for extra in group.split(",")}
    assert extras - set(known) == set()
    logins = ["flask,server,requests", "fastapi,server,httpx2", "django,server,requests"]
    assert [group for group in logins if group not in named[README]] == []
    for page, group in zip(("logins.md", "logins.md", "logins/django.md"), logins, strict=True):
        assert group in named[ROOT / "docs" / page]
