"""Rules that would have caught faults which were found once: each names the places that a reviewer has looked at.

A new place is not forbidden: it is a decision, which this file records.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "doorkey"

NUMBERS = {
    "arguments.py": "the numbers that callers pass, after a check of their type",
    "tokens.py": "the one parser of lifetimes, and of times in stored tokens",
    "wire/responses.py": "the one parser of Retry-After, bounded",
    "wire/strict_json.py": "the one parser of JSON numbers, which refuses what is not finite",
    "protocol/http_caching.py": "digits of Cache-Control and Age, twelve at most",
    "wire/addresses.py": "an address of the module ipaddress",
    "wire/key_material.py": "a number of a key, after a regular expression",
    "jose/claim_rules.py": "the one parser of times in claims",
    "stores/redis_commands.py": "what a script of ours returns",
    "stores/private_file.py": "the name of a file descriptor in /proc",
    "sessions/assertion.py": "issued_at= and expires_at= of the caller, which were checked",
    "stores/sqlite.py": "a column of the table",
    "transport/single_attempt.py": "what urllib3 has parsed already",
    "server/storage/effects.py": "a record that the server wrote",
    "dev/control_page/actions.py": "a number of a form, after a check of its digits",
    "dev/control.py": "Content-Length, after a check of its digits",
    "native/http_request.py": "Content-Length, after a check of its digits",
    "server/attempts.py": "an address of the module ipaddress",
    "server/endpoints/authorize.py": "max_age, after a check of its digits",
}
"""Modules that make a number of something that came from outside, and of what."""

OUR_OWN_NUMBER = re.compile(
    r"[\w.]*\b(now|started_at|lifetime|expires_at|timer|retry_after)\b[\w.]*(\(.*\))?( or 0| - at\.now)?|'inf'"
)
"""What is a number already: a time that is rounded."""

URLS = {
    ("cli/commands/logout.py", "url"): "the logout page of a server, with the client ID",
    ("cli/logins.py", "REDIRECT_URI"): "a constant",
    ("cli/logins.py", "url"): "the URL of a login, which the user opens in the browser",
    ("dev/command.py", "control.url"): "where the control of the embedded provider listens",
    ("dev/command.py", "provider.issuer"): "the embedded provider's own",
    ("dev/snippets.py", "provider.issuer"): "the embedded provider's own",
    ("dev/snippets.py", "provider.token_endpoint"): "the embedded provider's own",
    ("dev/provider.py", "self.issuer if self._thread else 'not started'"): "the embedded provider's own",
    ("native/browsers.py", "url"): "the authorization URL, which the user opens",
    ("native/by_device.py", "url"): "the page of the device flow, which the user opens",
    ("native/loopback.py", "REDIRECT_URI"): "a constant",
    ("integrations/httpx_transport/authority.py", "self.issuer"): "a validated issuer, which has no query",
}
"""Sentences that contain a URL, and why they may contain all of it."""

SAFE = ("shown_url(", "origin_of(", "origin_shown(", "how_issuers_differ(")
"""Functions whose result has no secret of a URL: an origin has none, and the last one returns a hint without a URL."""


def numbers_of(tree: ast.Module) -> Iterator[str]:
    """Yield the arguments of `int()` and `float()` that are not numbers yet."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"int", "float"}
            and node.args
        ):
            argument = ast.unparse(node.args[0])
            if not OUR_OWN_NUMBER.fullmatch(argument):
                yield f"{node.lineno}: {node.func.id}({argument})"


def urls_of(tree: ast.Module) -> Iterator[str]:
    """Yield what an f-string with a blank shows of a URL: that is a message, and a URL may hold a secret."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and any(
            isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values
        ):
            shown = [ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
            shown = [text for text in shown if not text.startswith(SAFE)]
            yield from (
                text for text in shown if re.search(r"url|uri\b|(endpoint|location|href|issuer)\b(?!\()", text, re.I)
            )


@cache
def trees() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))
    }


def test_a_number_from_outside_is_parsed_in_one_place() -> None:
    found = {f"{name}:{place}" for name, tree in trees().items() if name not in NUMBERS for place in numbers_of(tree)}
    assert found == set()


def test_no_message_shows_a_url_with_what_may_be_secret_in_it() -> None:
    found = {(name, text) for name, tree in trees().items() for text in urls_of(tree)}
    assert found - URLS.keys() == set()


def test_the_rules_see_what_they_are_for() -> None:
    assert [*numbers_of(ast.parse("int(answer['expires_in'])\nfloat(text)\nint(at.now)"))] == [
        "1: int(answer['expires_in'])",
        "2: float(text)",
    ]
    assert [*urls_of(ast.parse("raise UsageError(f'{url} is refused')\nf'{base_url}/x'"))] == ["url"]


INDEFINITE = re.compile(r"\b(whoever|whomever|somebody|nobody|everybody|anybody)\b|\bleft out\b", re.I)
"""Words that name no party. Write the caller, the server, the user; and "defaults to" for an absent option."""


def test_texts_of_the_package_and_of_the_pages_name_the_party_that_acts() -> None:
    root = PACKAGE.parents[1]
    pages = [*(root / "docs").rglob("*.md"), root / "README.md", root / "SECURITY.md", root / "CONTRIBUTING.md"]
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in [*PACKAGE.rglob("*.py"), *pages]
        for match in INDEFINITE.finditer(path.read_text("utf-8"))
    ]
    assert found == []
