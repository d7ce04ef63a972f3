"""`OAuth2Token`, at the path that programs import it from."""

from doorkey.tokens import OAuth2Token

__all__ = ["OAuth2Token"]
