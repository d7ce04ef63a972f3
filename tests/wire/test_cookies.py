"""The cookies of a request."""

import pytest

from doorkey.wire.cookies import cookie_pairs


def test_every_cookie_of_every_header_is_there() -> None:
    headers = [("Cookie", "a=1; b=2;c=3"), ("Accept", "d=4"), ("cookie", "a=5\t;e=f=g; =h; nothing")]
    expected = [("a", "1"), ("b", "2"), ("c", "3"), ("a", "5"), ("e", "f=g"), ("", "h")]
    assert list(cookie_pairs(headers)) == expected


@pytest.mark.parametrize("space", ["\x85", "\xa0", "\x0b", "\x0c", "\x1c", "\x1f", "\u2000", "\u3000"])
def test_only_what_browsers_remove_is_removed_around_a_name(space: str) -> None:
    """A host beside this one may set such a cookie, and not the one whose name begins with `__Host-`."""
    [(name, _)] = cookie_pairs([("Cookie", f"{space}__Host-doorkey=tossed")])
    assert name == f"{space}__Host-doorkey"
