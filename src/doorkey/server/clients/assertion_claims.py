"""The claims of a signed assertion for client authentication or a grant (RFC 7519 §4.1, RFC 7523 §3). Each is checked
when it is read, and the caller chooses the error."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from doorkey.errors import ServerError, VerificationError
from doorkey.jose.claim_rules import audiences, numeric_date


@dataclass(frozen=True, slots=True)
class AssertionClaims:
    """The claims of an assertion. `refused` returns the error for its sender, given a description."""

    claims: Mapping[str, Any]
    refused: Callable[[str], ServerError]

    def check_audience(self, ours: Container[str]) -> None:
        """Raise the error unless the only audience is one of `ours`."""
        try:
            found = audiences(self.claims)
        except VerificationError:
            raise self.refused("Invalid token audience") from None
        if len(found) > 1:  # another server in the audience could present it here
            raise self.refused("Multiple audiences not allowed")
        if not found or found[0] not in ours:
            raise self.refused("Invalid token audience")

    def token_id(self) -> str:
        """Return the `jti`, by which a second use is detected. Raises the error if it is missing."""
        found = self.claims.get("jti")
        if not isinstance(found, str) or not found:
            raise self.refused("Token jti claim is required")
        return found

    def time(self, name: str) -> float | None:
        """Return the POSIX seconds in a claim, or None if it is missing. Raises the error if it is not a time."""
        try:
            return numeric_date(self.claims, name)
        except VerificationError:
            raise self.refused(f"Token {name} claim is not a time") from None

    def expires_at(self) -> float:
        """Return the POSIX seconds in `exp`. Raises the error if it is missing."""
        found = self.time("exp")
        if found is None:
            raise self.refused("Token exp claim is required")
        return found
