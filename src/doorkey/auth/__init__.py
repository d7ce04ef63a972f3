"""`OAuth2Auth`: the token in requests to an API, and the retry after a 401, on each HTTP library."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.auth.oauth2_auth import OAuth2Auth

__all__ = ["OAuth2Auth"]


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, {"OAuth2Auth": "doorkey.auth.oauth2_auth"}, name)
