"""An old import place of `OAuth2Session`, which lives in `doorkey.integrations.requests_client`."""

from doorkey.integrations.requests_client import OAuth2Session

__all__ = ["OAuth2Session"]
