"""The result of a finished native login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from doorkey.login.result import LoginResult
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.tokens import OAuth2Token

__all__ = ["Method", "NativeLogin"]

Method: TypeAlias = Literal["browser", "device", "paste"]


@dataclass(frozen=True, slots=True, repr=False)
class NativeLogin:
    """A finished login of a command line tool or a desktop app."""

    token: OAuth2Token
    """The token, in the form that a session accepts."""
    claims: IDToken | None
    """The verified claims of the ID token; None if `openid` was not requested."""
    method: Method
    """How the user logged in: "browser", "device" or "paste"."""

    def __repr__(self) -> str:
        return f"<NativeLogin by {self.method}>"


def native_login(result: LoginResult, method: Method) -> NativeLogin:
    """Return the native login for the `result` of a `LoginClient`."""
    return NativeLogin(result.token, result.claims, method)
