"""Import path of `OAuth2Token`."""

from doorkey.tokens import OAuth2Token

__all__ = ["OAuth2Token"]
