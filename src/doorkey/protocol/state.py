"""The `state` that comes back from a request that a browser carried (RFC 6749 §10.12)."""

from __future__ import annotations

import hmac

from doorkey.errors import MismatchingStateError


def check_state(got: str | None, expected: str | None) -> None:
    """Raise `MismatchingStateError` unless a callback has the `expected` state; None: the request sent none."""
    if expected is None and got is None:
        return
    if expected is None or got is None:
        missing = "was not sent with the request" if expected is None else "is missing in the callback"
        raise MismatchingStateError(f"{missing}, so the callback cannot be told from a forged one")
    if not hmac.compare_digest(got.encode("utf-8", "replace"), expected.encode("utf-8", "replace")):
        raise MismatchingStateError
