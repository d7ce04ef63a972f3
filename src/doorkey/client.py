"""An old import path of `OAuth2Session`, which is in `doorkey.integrations.requests_client`."""

from doorkey.integrations.requests_client import OAuth2Session

__all__ = ["OAuth2Session"]
