"""The claims of a signed assertion, be it a client's own or a grant: read one by one, and refused in the words of
whoever asks (RFC 7519 §4.1, RFC 7523 §3)."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from doorkey.errors import ServerError, VerificationError
from doorkey.jose.claim_rules import audiences, numeric_date


@dataclass(frozen=True, slots=True)
class AssertionClaims:
    """What an assertion says; `refused` makes the error that its sender is told, of a description."""

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
        """Return the `jti`, by which a second use is recognised. Refuses an assertion that has none."""
        found = self.claims.get("jti")
        if not isinstance(found, str) or not found:
            raise self.refused("Token jti claim is required")
        return found

    def time(self, name: str) -> float | None:
        """Return the POSIX seconds in a claim, or None if it is not there. Refuses what is no time."""
        try:
            return numeric_date(self.claims, name)
        except VerificationError:
            raise self.refused(f"Token {name} claim is not a time") from None

    def expires_at(self) -> float:
        """Return when the assertion ends. Refuses one that does not say so."""
        found = self.time("exp")
        if found is None:
            raise self.refused("Token exp claim is required")
        return found
