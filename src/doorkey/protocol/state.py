"""Checks the `state` of a callback against that of the request (RFC 6749 §10.12)."""

from __future__ import annotations

import hmac

from doorkey.errors import MismatchingStateError


def check_state(got: str | None, expected: str | None) -> None:
    """Raise `MismatchingStateError` unless the state of a callback, `got`, is the `expected` one of the request.

    None means that the callback or the request has no state. The comparison takes constant time.
    """
    if expected is None and got is None:
        return
    if expected is None or got is None:
        missing = "was not sent with the request" if expected is None else "is missing in the callback"
        raise MismatchingStateError(f"{missing}, so the callback may be forged")
    if not hmac.compare_digest(got.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
        raise MismatchingStateError
