"""The claims of a signed assertion, of client authentication or of a grant, read one by one (RFC 7519 §4.1, RFC 7523
§3). The caller chooses the error."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from doorkey.errors import ServerError, VerificationError
from doorkey.jose.claim_rules import audiences, numeric_date


@dataclass(frozen=True, slots=True)
class AssertionClaims:
    """The claims of an assertion; `refused` makes the error for its sender from a description."""

    claims: Mapping[str, Any]
    refused: Callable[[str], ServerError]

    def check_audience(self, ours: Container[str]) -> None:
        """Refuse an assertion that is not for one of `ours` alone."""
        try:
            found = audiences(self.claims)
        except VerificationError:
            raise self.refused("Invalid token audience") from None
        if len(found) > 1:  # another server among them could present it here
            raise self.refused("Multiple audiences not allowed")
        if not found or found[0] not in ours:
            raise self.refused("Invalid token audience")

    def token_id(self) -> str:
        """Return the `jti`, by which a second use is recognized. Refuses an assertion that has none."""
        found = self.claims.get("jti")
        if not isinstance(found, str) or not found:
            raise self.refused("Token jti claim is required")
        return found

    def time(self, name: str) -> float | None:
        """Return the POSIX seconds in a claim, or None if it is missing. Refuses a value that is not a time."""
        try:
            return numeric_date(self.claims, name)
        except VerificationError:
            raise self.refused(f"Token {name} claim is not a time") from None

    def expires_at(self) -> float:
        """Return when the assertion expires. Refuses one without `exp`."""
        found = self.time("exp")
        if found is None:
            raise self.refused("Token exp claim is required")
        return found
