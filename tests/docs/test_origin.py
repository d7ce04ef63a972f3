"""Pages and examples name the provider of `doorkey dev` as it names itself: an issuer is compared as a string."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from doorkey.dev import Provider

ROOT = Path(__file__).resolve().parents[2]
PROVIDER = re.compile(r"https?://[^\s\"'`<>)]+?:8080")
FILES = {
    str(path.relative_to(ROOT)): text
    for path in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.*"))
    if path.suffix in (".md", ".py", ".toml") and PROVIDER.search(text := path.read_text("utf-8"))
}


@pytest.mark.parametrize("name", FILES)
def test_the_issuer_of_a_page_is_the_one_that_doorkey_dev_prints(name: str) -> None:
    others = {origin for origin in PROVIDER.findall(FILES[name]) if origin != Provider(port=8080).origin}
    if re.search(r"public.url[ =]", FILES[name]):  # the page gives the provider another name
        others -= {"http://localhost:8080"}
    assert others <= {"http://keycloak:8080"}  # a container of that name


def test_the_readme_has_the_issuer() -> None:
    assert f"doorkey login {Provider(port=8080).issuer} " in FILES["README.md"]
