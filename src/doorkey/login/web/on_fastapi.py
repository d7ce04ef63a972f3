"""The user as a dependency of FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Security, WebSocketException
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from doorkey.login.web.on_starlette import ReplyRaised, close_code, denied, user_of
from doorkey.login.web.user import User
from doorkey.resource.on_asgi import DENIAL

if TYPE_CHECKING:
    from doorkey.login.web.login import Login


def dependency(login: Login, *, optional: bool) -> Any:
    """Return the type of a parameter whose value is the user of the request; see `Login.User`."""
    needed = Security(_UserOfRequest(login, optional))
    return Annotated[User | None, needed] if optional else Annotated[User, needed]


class _UserOfRequest(SecurityBase):
    """Finds the user of a request. FastAPI calls equal instances only once for each request."""

    def __init__(self, login: Login, optional: bool) -> None:
        name = login.site.rules(login.site.base_url or "http:").name()
        location: dict[str, Any] = {"in": APIKeyIn.cookie}
        self.model = APIKey(**location, name=name, description="The session of a logged-in user")
        self.scheme_name = "Login"
        self._login, self._optional = login, optional

    async def __call__(self, connection: HTTPConnection) -> User | None:
        if self._optional:
            return await user_of(self._login, connection)
        reply = await denied(self._login, connection)
        if reply is not None:
            scope = connection.scope
            if scope["type"] == "websocket" and DENIAL not in (scope.get("extensions") or {}):
                raise WebSocketException(close_code(reply))
            raise ReplyRaised(reply)
        return await user_of(self._login, connection)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _UserOfRequest) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[int, bool]:
        return id(self._login), self._optional
