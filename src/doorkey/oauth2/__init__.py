"""Import paths named after specifications; nothing is defined here."""

from doorkey.errors import OAuth2Error

__all__ = ["OAuth2Error"]
