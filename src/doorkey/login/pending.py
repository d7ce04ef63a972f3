"""A login that has begun and has not ended: the data to store for the browser that began it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from doorkey.arguments import mapping, text
from doorkey.login.next_url import checked_next
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.values import hides_locals

__all__ = ["Begun", "PendingLogin"]


@dataclass(frozen=True, slots=True, repr=False)
class PendingLogin:
    """A login in progress. Bind it to the browser that began it, so that no other browser can use it (RFC 9700 §4.7).

    The result of `to_dict` contains the code verifier, so store it in a server-side session or in an encrypted cookie.
    Remove it before you finish the login, because a login can be finished only once.

    provider: the name of the client that began it.
    transaction: the authorization request, against which the response is checked.
    next: the path to which the user goes after the login.
    is_silent: whether the request has `prompt=none`, so that the provider shows no page (OpenID Connect Core §3.1.2.1).
    """

    provider: str
    transaction: AuthorizationTransaction
    next: str = "/"
    is_silent: bool = False

    @property
    def state(self) -> str:
        """The `state` of the request, which identifies the login in the callback."""
        return self.transaction.state

    @property
    def expires_at(self) -> float:
        """The time at which the login expires, in seconds since the epoch."""
        return self.transaction.expires_at

    def to_dict(self) -> dict[str, Any]:
        """Return the login as a dictionary that can be stored as JSON."""
        silent = {"is_silent": True} if self.is_silent else {}
        return {"provider": self.provider, "next": self.next, "transaction": self.transaction.to_dict(), **silent}

    @classmethod
    @hides_locals
    def from_dict(cls, members: Mapping[str, Any]) -> PendingLogin:
        """Restore a login from a dictionary.

        members: the result of `to_dict`.

        Raises `UsageError` for any other value.
        """
        given = mapping(members, "a pending login")
        transaction = AuthorizationTransaction.from_dict(mapping(given.get("transaction"), "its transaction"))
        provider = text(given.get("provider"), "the provider of a pending login")
        return cls(provider, transaction, checked_next(given.get("next")), given.get("is_silent") is True)

    def __repr__(self) -> str:
        return f"<PendingLogin at {self.provider!r} until {self.expires_at:.0f}>"


class Begun(NamedTuple):
    """A login that has just begun.

    url: the authorization request, to which the browser must be sent.
    pending: the data to store for this browser until the callback.
    """

    url: str
    pending: PendingLogin

    def __repr__(self) -> str:
        return f"<Begun: {self.pending!r}>"
