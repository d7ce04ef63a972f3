"""What a finished login says: who the user is, the token, and where to go next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.oidc.core.user_info import UserInfo
    from doorkey.tokens import OAuth2Token

__all__ = ["LoginResult"]


@dataclass(frozen=True, slots=True, repr=False)
class LoginResult:
    """A finished login. The identity of the user is the pair of `iss` and `sub`, and nothing else."""

    iss: str
    """The issuer; for a provider without OpenID Connect, the origin of its token endpoint."""
    sub: str
    """The user at this issuer; empty if a provider without OpenID Connect says nothing about the user."""
    claims: IDToken | None
    """The verified claims of the ID token; None for a provider without OpenID Connect."""
    userinfo: UserInfo | None
    """What the userinfo endpoint says about the user; None if it was not requested."""
    token: OAuth2Token
    next: str
    """The path to which the user goes now: a path of this site."""
    provider: str
    """The name of the client."""
    session_state: str | None = None
    """The session at the provider, which its `check_session_iframe` is asked about (Session Management 1.0 §2)."""

    def __repr__(self) -> str:
        return f"<LoginResult at {self.provider!r}>"
