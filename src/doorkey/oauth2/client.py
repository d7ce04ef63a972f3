"""Import path of the class that every session inherits from."""

from doorkey.sessions.client import OAuth2Client

__all__ = ["OAuth2Client"]
