"""Each challenge of an API in words, with what to do."""

from __future__ import annotations

import shlex

import pytest

from doorkey.cli.api.explanation import explained

LOGIN = "doorkey login https://as.example --account work"

CASES = [
    (401, None, "does not say why"),
    (403, None, "A new login does not help."),
    (401, "Bearer", "as if the request had no token"),
    (401, 'Bearer error="invalid_token", error_description="The token expired"', "(invalid_token): The token expired."),
    (401, 'Bearer error="invalid_token"', f"If it was revoked, log in again: {LOGIN}"),
    (400, 'Bearer error="invalid_request"', "cannot read the request (invalid_request)."),
    (403, 'Bearer error="insufficient_scope"', "Ask the operators of the API which scope it is"),
    (403, 'Bearer error="insufficient_scope", scope="a b"', f"Log in again with it: {LOGIN} --scope 'a c b'"),
    (403, 'Bearer error="insufficient_scope", scope="a b"', "Missing: b."),
    (401, 'Bearer error="insufficient_user_authentication", max_age="5"', "a stronger login (max_age=5)."),
    (401, 'Bearer error="odd"', "rejects the request (odd)."),
    (401, 'DPoP algs="ES256"', "bound to a key (DPoP, RFC 9449)"),
    (401, 'Basic realm="x"', "another kind of authentication: basic."),
    (401, 'Bearer resource_metadata="https://api.example/m"', "'doorkey doctor' with the URL of the API"),
]


@pytest.mark.parametrize(("status", "challenge", "sentence"), CASES, ids=lambda value: str(value)[:40])
def test_a_rejection_is_explained(status: int, challenge: str | None, sentence: str) -> None:
    assert sentence in "\n".join(explained(status, challenge, granted=["a", "c"], login=LOGIN))


def test_what_the_api_says_cannot_change_the_terminal_and_is_cut() -> None:
    told = explained(
        401, 'Bearer error="invalid_token", error_description="\x1b[2J' + "x" * 5000 + '"', granted=None, login=LOGIN
    )
    assert all("\x1b" not in line and len(line) < 500 for line in told)


def test_several_challenges_are_all_explained() -> None:
    told = "\n".join(explained(401, 'Basic realm="a", Bearer error="invalid_token"', granted=None, login=LOGIN))
    assert "basic" in told
    assert "invalid_token" in told


def test_a_scope_of_a_challenge_is_one_argument_of_the_command_to_paste() -> None:
    """An API must not get a command of its own into the shell of a user who pastes the advice."""
    scope = "a';touch${IFS}/tmp/x;'`id`$(id)"
    told = explained(403, f'Bearer error="insufficient_scope", scope="{scope}"', granted=["b"], login="doorkey login")
    command = told[-1].removeprefix("Log in again with it: ")
    assert shlex.split(command) == ["doorkey", "login", "--scope", f"b {scope}"]
