"""What the check of the built site finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs.links import problems

OTHER = '<h1 id="there">x</h1><a name="old"></a>'


def found(tmp_path: Path, html: str) -> list[str]:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "page.html").write_text(html, "utf-8")
    (tmp_path / "other.html").write_text(OTHER, "utf-8")
    (tmp_path / "index.html").write_text("<p>start</p>", "utf-8")
    (tmp_path / "a b.png").write_bytes(b"")
    return problems(tmp_path)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="../other.html">',
        '<a href="../other.html#there">',
        '<a href="../other.html#old">',
        '<a href="/other.html#there">',
        '<a href="..">',
        '<a href="?q=1">',
        '<h2 id="here"></h2><a href="#here">',
        '<img src="../a%20b.png">',
        '<a href="https://elsewhere.example/page#x">',
        '<a href="mailto:x@example.org">',
        "<a>no link</a>",
        '<script src="data:text/javascript,1"></script>',
    ],
)
def test_a_link_that_leads_somewhere_is_no_problem(tmp_path: Path, html: str) -> None:
    assert found(tmp_path, html) == []


@pytest.mark.parametrize(
    "html",
    [
        '<a href="other.html">',
        '<a href="../other.html#nowhere">',
        '<a href="#nowhere">',
        '<img src="missing.png">',
        '<link rel="stylesheet" href="/missing.css">',
        '<script src="missing.js"></script>',
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_page(tmp_path: Path, html: str) -> None:
    [line] = found(tmp_path, html)
    assert line.startswith("below/page.html: ")
    assert line.endswith(" leads nowhere")


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://elsewhere.example/a.js"></script>',
        '<link rel="stylesheet" href="//elsewhere.example/a.css">',
        '<img src="https://elsewhere.example/a.png">',
    ],
)
def test_a_file_of_another_host_is_a_problem(tmp_path: Path, html: str) -> None:
    [line] = found(tmp_path, html)
    assert "elsewhere.example" in line
    assert line.endswith("from another host")
