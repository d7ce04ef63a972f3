"""What a user pastes, and the line that is typed: each wrong text has its own sentence."""

from __future__ import annotations

import pytest

from doorkey.native.callbacks import Accepted, Expected
from doorkey.native.pasted import MAX_TEXT, Line, parse_paste

EXPECTED = Expected("http://127.0.0.1:8000/callback", "the-state")
GOOD = "http://127.0.0.1:8000/callback?code=c&state=the-state"


@pytest.mark.parametrize("text", [GOOD, f"  {GOOD}\r\n", f"<{GOOD}>", f'"{GOOD}"', GOOD.replace("code=c", "error=no")])
def test_the_url_is_accepted_with_what_surrounds_it(text: str) -> None:
    found = parse_paste(text, EXPECTED)
    assert isinstance(found, Accepted)
    assert found.params == text.strip().strip('<>"')


def test_a_response_in_the_fragment_is_read_there() -> None:
    url = GOOD.replace("?", "#")
    assert isinstance(parse_paste(url, EXPECTED, in_fragment=True), Accepted)
    assert isinstance(parse_paste(url, EXPECTED), str)
    assert isinstance(parse_paste(GOOD, EXPECTED, in_fragment=True), str)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Nothing was pasted"),
        (" <> ", "Nothing was pasted"),
        (GOOD + "x" * MAX_TEXT, "longer than"),
        (f"{GOOD} {GOOD}", "a space or a line break"),
        (f"{GOOD}\x1b[2J&a=b", "a space or a line break"),
        ("http://[::1/callback?state=the-state", "not a URL"),
        (GOOD + "&a=1" * 1001, "not a URL"),
        ("Zk3jQ9x", "not a whole URL"),
        ("127.0.0.1:8000/callback?code=c&state=the-state", "not a whole URL"),
        ("https://as.example/auth?response_type=code&client_id=c", "the URL of the login page"),
        ("https://as.example/auth?request_uri=urn:x&state=the-state", "the URL of the login page"),
        (GOOD.replace("127.0.0.1", "evil.example"), "the URL of another page, http://evil.example/callback"),
        (GOOD.replace("8000", "8001"), "the URL of another page"),
        (GOOD.replace("http:", "https:"), "the URL of another page"),
        (GOOD.replace("/callback", "/other"), "the URL of another page"),
        ("http://127.0.0.1:8000/callback?code=c", "has no state"),
        (GOOD + "&state=the-state", "has no state"),
        (GOOD + "-of-another-login", "another login"),
    ],
)
def test_another_text_is_explained(text: str, problem: str) -> None:
    found = parse_paste(text, EXPECTED)
    assert isinstance(found, str)
    assert problem in found
    assert found.isprintable()
    assert "code=" not in found


def typed(*pieces: bytes) -> tuple[Line, bytes]:
    line = Line()
    return line, b"".join(line.feed(piece) for piece in pieces)


def test_a_line_ends_with_enter_and_shows_what_was_typed() -> None:
    for end in (b"\r", b"\n"):
        line, shown = typed(b"abc", b"d" + end + b"next")
        assert (line.value(), line.is_done, line.is_end) == ("abcd", True, False)
        assert shown == b"abcd\r\n"
        assert "abcd" not in repr(line)


def test_a_line_can_be_corrected() -> None:
    line, shown = typed(b"ax\x7fb\x08\x7f\x7f", b"no\x15yes\n")
    assert line.value() == "yes"
    assert shown == b"ax\b \bb\b \b\b \bno\b \b\b \byes\r\n"


def test_a_pasted_line_may_be_longer_than_a_terminal_passes_on() -> None:
    line, _ = typed(b"\x1b[200~" + b"x" * 6000, b"\x1b[20", b"1~\n")
    assert line.value() == "x" * 6000


def test_a_line_keeps_little_more_than_the_longest_url() -> None:
    line, shown = typed(b"\xc3\xa4" + b"x" * (MAX_TEXT * 2))
    assert line.is_too_long
    assert not line.is_done
    assert len(line.value()) == MAX_TEXT  # two bytes are one letter
    assert len(shown) == MAX_TEXT + 1
    assert shown.startswith(b"??xx")
    assert isinstance(parse_paste(line.value() + "xx", EXPECTED), str)


@pytest.mark.parametrize("end", [b"", b"\x04"])
def test_the_end_of_the_input_ends_a_line_that_has_begun(end: bytes) -> None:
    line, _ = typed(b"abc", end)
    assert (line.value(), line.is_done, line.is_end) == ("abc", True, False)
    line, _ = typed(end)
    assert (line.value(), line.is_done, line.is_end) == ("", True, True)
