"""doorkey on requests. `OAuth2Session` requests, stores and sends tokens. `OAuth2Auth` sends them on other sessions."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.integrations.base_client import errors
from doorkey.integrations.base_client.errors import *  # noqa: F403  # one list, in `errors`
from doorkey.runtime.absent import absent
from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.requests_client.assertion_session import AssertionSession
    from doorkey.integrations.requests_client.oauth2_auth import OAuth2Auth
    from doorkey.integrations.requests_client.oauth2_session import OAuth2Session
except ModuleNotFoundError as missing:
    raise explained(missing) from None

__all__ = ["AssertionSession", "OAuth2Auth", "OAuth2Session"]
__all__ += errors.__all__

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelled names

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
