"""Token objects as programs have them: a row of a table, with three methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass
class Token:
    """A stored token."""

    access_token: str
    scope: str = "profile email"
    user: str = "alice"
    expired: bool = False
    revoked: bool = False

    def is_expired(self) -> bool:
        return self.expired

    def is_revoked(self) -> bool:
        return self.revoked

    def get_scope(self) -> str:
        return self.scope


class Model:
    """A model of Django, as far as a validator uses it."""

    class DoesNotExist(Exception):
        """There is no such row."""

    rows: ClassVar[dict[str, Token]] = {}

    class objects:  # noqa: N801  # as in Django
        """The manager."""

        @staticmethod
        def get(**fields: Any) -> Token:
            try:
                return Model.rows[fields["access_token"]]
            except KeyError:
                raise Model.DoesNotExist from None


STORED = {
    "good": Token("good"),
    "narrow": Token("narrow", scope="profile"),
    "none": Token("none", scope=""),
    "expired": Token("expired", expired=True),
    "revoked": Token("revoked", revoked=True),
}
Model.rows = STORED
