import pytest

from doorkey.errors import UsageError
from doorkey.pages.markup import MAX_TEXT, Html, attribute, fill, href, joined


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onload='x'", "&quot; onload=&#x27;x&#x27;"),
        ("&amp;", "&amp;amp;"),
        ("{other}", "{other}"),
        (3, "3"),
    ],
)
def test_a_value_is_escaped(value: str | int, shown: str) -> None:
    assert fill("<b>{value}</b>", value=value) == f"<b>{shown}</b>"


def test_html_of_a_template_is_not_escaped_twice() -> None:
    assert fill("<p>{inner}</p>", inner=fill("<b>{text}</b>", text="&")) == "<p><b>&amp;</b></p>"


def test_text_that_was_added_to_html_is_escaped() -> None:
    assert fill("{value}", value=fill("<b>") + "<i>") == "&lt;b&gt;&lt;i&gt;"


def test_a_long_value_is_cut() -> None:
    shown = fill("{value}", value="<" * 10_000)
    assert shown == "&lt;" * MAX_TEXT + "…"


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\u202e", "\u2066", "\u200f", "\ud800"])
def test_control_characters_and_those_that_reverse_text_are_not_shown(character: str) -> None:
    assert fill("{value}", value=f"a{character}b") == "a\ufffdb"


def test_parts_are_joined_by_lines_without_the_empty_ones() -> None:
    assert joined([Html("<p>"), Html(), Html("</p>")]) == "<p>\n</p>"


def test_an_attribute_is_whole() -> None:
    assert attribute("\u202e" + '"' * 3000) == "\u202e" + "&quot;" * 3000


@pytest.mark.parametrize(
    "url", ["https://a.example/x?y=1#z", "http://127.0.0.1:5000/", "/auth/login", "com.example.app:/callback", "?x=1"]
)
def test_a_link_to_a_page_is_allowed(url: str) -> None:
    assert href(url) == url


def test_a_link_is_escaped() -> None:
    assert href('/x?a="&b') == "/x?a=&quot;&amp;b"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "blob:https://a.example/1",
        "https://a.example/a b",
    ],
)
def test_a_link_that_a_browser_runs_as_code_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="use an http or https URL"):
        href(url)
