"""`OAuth2Auth`: a token as `auth=` on any session of requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.auth import AuthBase

from doorkey.errors import UsageError
from doorkey.oauth2.client import OAuth2Client
from doorkey.oauth2.core import SessionCore
from doorkey.oauth2.options import SessionOptions
from doorkey.protocol.bearer import authorization_header
from doorkey.protocol.flow import run
from doorkey.single_flight import SingleFlight
from doorkey.tokens import OAuth2Token, OAuthToken


class OAuth2Auth(AuthBase):
    """Sends a token with each request: that of a session, kept fresh by it, or one given once.

    `token` is a mapping as `fetch_token` returns it, or an `OAuth2Session`; `token_placement` is "header", "body" or
    "uri" (RFC 6750 §2), for a session its own. Raises `TokenExpiredError` instead of sending an expired token.
    """

    def __init__(self, token: Mapping[str, Any] | Any, token_placement: str = "header") -> None:
        session: Any = token
        if isinstance(session, OAuth2Client):
            self._core: SessionCore = session._oauth
            self._fresh: Callable[[], OAuthToken] = getattr(session, "_flight").token  # noqa: B009  # its subclass's
        else:
            self._core, self._fresh = _static(token, token_placement)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the token in it."""
        core, token = self._core, self._fresh()
        if core.options.token_placement == "header" and not core.hooks.of("protected_request"):
            r.headers["Authorization"] = authorization_header(token)
            return r
        given = {name: str(value) for name, value in r.headers.items()}
        url, headers, body = run(core.sign(token, r.url or "", given, r.body), _no_effects)
        r.url = url
        r.headers.clear()
        r.headers.update(headers)
        if body is not r.body:
            r.body = body
            r.prepare_content_length(body)
        return r


def _static(token: Mapping[str, Any], token_placement: str) -> tuple[SessionCore, Callable[[], OAuthToken]]:
    from doorkey.integrations.requests_client.exchange import RequestsLibrary

    if not isinstance(token, Mapping):
        raise UsageError("OAuth2Auth takes a token (a mapping), or an OAuth2Session")
    options = SessionOptions(token_placement=token_placement)
    core = SessionCore(options, RequestsLibrary(), OAuth2Token.from_dict(token))
    return core, SingleFlight(core.slot, _no_effects, options.clock).token


def _no_effects(effect: object) -> object:
    raise UsageError(f"signing a request asks for nothing, but a hook led to {effect!r}")
