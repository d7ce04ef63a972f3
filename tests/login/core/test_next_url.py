"""Where a user may go after a login: to a path of the same site, and nowhere else."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.login import checked_next


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/orders", "/orders/7?sort=asc#top", "/a%20b", "/k%C3%A4se", "/search?q=a@b.example&next=%2Forders"),
        *("/?next=https://other.example/", "/a;v=1/b,c", "/~user/(1)", "/a..b/...", "/x?a[]=1"),
    ],
)
def test_a_path_of_the_same_site_is_kept(target: str) -> None:
    assert checked_next(target) == target


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/a//b", "//evil@app.example"),
        *(
            "https:evil.example",
            "https://evil.example",
            "HTTPS:/evil",
            "javascript:alert(1)",
            "evil.example",
            "?a",
            "#a",
        ),
        *("/\tevil", "/\t/evil.example", "\t//evil.example", " /a", "/a b", "/a\n", "/\x00", "/a\x7f", "\n//evil"),
        *("/@evil.example", "/a@b", "@evil.example", "/%40evil.example"),
        *("/%2fevil.example", "/%2F%2Fevil", "/%5cevil.example", "/%255Cevil", "/%25252fevil"),
        *("/%09/evil", "/%0d%0aSet-Cookie:a=b", "/a?b=%0d%0aX:y", "/%00", "/%250a"),
        *("/..//evil.example", "/.", "/a/../b", "/%2e%2e/b", "/.%2E/b"),
        *("", "/%", "/%zz", "/ä", "/\uff0fevil.example", "/a\u2028b", "/" + "a" * 2048),
    ],
)
def test_anything_that_may_be_read_as_another_site_is_not_followed(target: str) -> None:
    assert checked_next(target) == "/"
    assert checked_next(target, "/home") == "/home"


@pytest.mark.parametrize("target", [None, 5, b"/a", ["/a"], {"next": "/a"}])
def test_what_is_no_text_is_no_target(target: Any) -> None:
    assert checked_next(target) == "/"


@given(st.text(string.printable + "ä\uff0f", max_size=30))
def test_a_browser_stays_at_the_site_whatever_the_target_is(target: str) -> None:
    kept = checked_next("/" + target)
    # What browsers do first (WHATWG URL): backslashes are slashes, and tabs and line breaks are dropped.
    read = kept.replace("\\", "/").translate({9: None, 10: None, 13: None}).strip()
    assert read == kept
    assert read.startswith("/")
    assert not read.startswith("//")
