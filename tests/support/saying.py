"""For tests that throw anything at a parser: it answers, or raises an error of our tree, and nothing else."""

from collections.abc import Callable

from doorkey.errors import OAuthError


def said_by(call: Callable[[], object]) -> str:
    """Return what the error of `call` says, or nothing where it raised none; any other error passes through."""
    try:
        call()
    except OAuthError as error:
        return str(error)
    return ""
