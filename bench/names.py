"""The names of the contenders in the tables."""

from __future__ import annotations

BARE, OURS, AUTHLIB, REQUESTS_OAUTHLIB = "bare", "doorkey", "authlib", "requests-oauthlib"
HTTPX_OAUTH2 = "httpx-oauth2"
PLAIN_AUTH = "bare with auth="
"""A bare session of requests looks for a `.netrc` at each request. A session with an `auth=` does not, and neither does
doorkey."""
