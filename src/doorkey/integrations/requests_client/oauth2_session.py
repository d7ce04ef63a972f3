"""`OAuth2Session`: a `requests.Session` that requests, stores and sends tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import requests

from doorkey.errors import TransportError, UsageError
from doorkey.integrations.requests_client.oauth2_auth import OAuth2Auth
from doorkey.sessions.blocking_awaiting import BlockingSession, blocking, with_response_class
from doorkey.sessions.client import OAuth2Client
from doorkey.sessions.verbs import like_native, with_parameters_of
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from typing import Unpack

    from doorkey.integrations.requests_client.option_types import SessionOptions
    from doorkey.integrations.requests_client.typed_methods import TypedSession
    from doorkey.protocol.client_identity import ClientAuthMethod
    from doorkey.sessions.options import UpdateToken
    from doorkey.wire.messages import Request, Response
else:
    TypedSession = requests.Session

_AUTH, _TIMEOUT = 5, 6  # places after `method` and `url` in requests.Session.request
_WITHHELD: Any = object()
"""The `auth` of a request that is sent without the token."""


class OAuth2Session(OAuth2Client, TypedSession):
    """A `requests.Session` that sends a fresh token with each request. Adapters, hooks, proxies and TLS work as usual.

    default_timeout: the default timeout of requests, in seconds, or a pair of (connect, read) timeouts.

    The other options are those of `doorkey.oauth2.client.OAuth2Client`, and the settings of a `requests.Session`:
    `verify`, `cert`, `proxies`, …. Thread-safe.
    """

    @clears_locals
    def __init__(
        self,
        client_id: str | None = None,
        client_secret: Any = None,
        token_endpoint_auth_method: str | ClientAuthMethod | None = None,
        revocation_endpoint_auth_method: str | ClientAuthMethod | None = None,
        scope: str | Iterable[str] | None = None,
        state: str | None = None,
        redirect_uri: str | None = None,
        token: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        update_token: UpdateToken | None = None,
        leeway: float | None = None,
        default_timeout: float | tuple[float, float] | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        from doorkey.integrations.requests_client.settings import SETTINGS, apply_settings
        from doorkey.sessions.options import session_options
        from doorkey.sessions.shared_token import set_up
        from doorkey.transport.on_requests import RequestsLibrary, check_timeout

        del given["default_timeout"]
        known = {"default_timeout", *SETTINGS}
        own, rest, own_token = session_options({**given, **options}, known_elsewhere=known, blocking=True)
        check_timeout(default_timeout)
        super(OAuth2Client, self).__init__()  # the `Session` base, even if another package has replaced that class
        apply_settings(self, rest)
        self.default_timeout = default_timeout
        set_up(self, own, RequestsLibrary(), own_token)
        self._sign()

    def _sign(self) -> None:
        self.token_auth = OAuth2Auth(self)

    @with_parameters_of(TypedSession.request)
    def request(self, method: str, url: str, *args: Any, withhold_token: bool = False, **kwargs: Any) -> Any:
        """Send a request with the token, and return its response.

        method, url: the request.
        params, data, json, files, headers, cookies: as for requests.
        allow_redirects, proxies, hooks, stream, verify, cert: as for requests.
        timeout: as for requests. Without it, the `default_timeout` of the session applies.
        auth: sent instead of the token.
        withhold_token: True to send the request without the token. A boolean as the third argument is
            `withhold_token` too, and `auth` may follow it, as in Authlib.

        Raises `MissingTokenError`, `TokenExpiredError` or the error of the renewal. If the token is not available, the
        request is not sent.
        """
        if args and isinstance(args[0], bool):
            withhold_token, *rest = args
            if len(rest) > 1 or (rest and "auth" in kwargs):
                raise UsageError("after a positional withhold_token and auth, pass all other arguments by name")
            args, kwargs = (), {**kwargs, **dict(zip(("auth",), rest, strict=False))}
        if withhold_token and len(args) > _AUTH:
            args = (*args[:_AUTH], args[_AUTH] or _WITHHELD, *args[_AUTH + 1 :])
        elif withhold_token:
            kwargs["auth"] = kwargs.get("auth") or _WITHHELD
        if self.default_timeout is not None and len(args) <= _TIMEOUT:
            kwargs.setdefault("timeout", self.default_timeout)
        return super().request(method, url, *args, **kwargs)

    if not TYPE_CHECKING:  # type checkers read the methods of `TypedSession`

        @like_native(requests.Session.get)
        def get(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().get(*args, **kwargs)

        @like_native(requests.Session.options)
        def options(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().options(*args, **kwargs)

        @like_native(requests.Session.head)
        def head(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().head(*args, **kwargs)

        @like_native(requests.Session.post)
        def post(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().post(*args, **kwargs)

        @like_native(requests.Session.put)
        def put(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().put(*args, **kwargs)

        @like_native(requests.Session.patch)
        def patch(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().patch(*args, **kwargs)

        @like_native(requests.Session.delete)
        def delete(self, *args, **kwargs):  # noqa: D102  # `like_native` sets the docstring
            return super().delete(*args, **kwargs)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request for `send`, and sign it with the token unless it has its own `auth`.

        request: the request to prepare. It is not changed.

        Raises the errors of `request`.
        """
        if request.auth is None or request.auth is _WITHHELD:
            auth = self.token_auth if request.auth is None else None
            given, request = request, object.__new__(type(request))  # a fast copy; `copy` takes longer than signing
            request.__dict__.update(given.__dict__)
            request.auth = auth
        return super().prepare_request(request)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Remove the token from a redirect to another host, port or scheme.

        prepared_request: the request that follows the redirect.
        response: the redirect.

        Raises `TransportError` if the body carries the token, and the redirect keeps the body.
        """
        from doorkey.wire.urls import origin_of

        before, after = response.request.url or "", prepared_request.url or ""
        if origin_of(before) == origin_of(after):
            return
        prepared_request.headers.pop("Authorization", None)
        if self._oauth.options.token_placement == "body" and prepared_request.body:
            raise TransportError(
                "the API redirects a request whose body carries the token to another origin, so the redirect was not "
                "followed"
            )

    # -- the operations of every session: copied, because users know the bases of this class ---------------------------

    _blocking = BlockingSession._blocking
    discover = BlockingSession.discover
    fetch_token = BlockingSession.fetch_token
    fetch_access_token = fetch_token
    token_from_fragment = BlockingSession.token_from_fragment
    refresh_token = BlockingSession.refresh_token
    ensure_active_token = BlockingSession.ensure_active_token
    revoke_token = blocking(with_response_class(requests.Response, OAuth2Client._revoke_token))
    introspect_token = BlockingSession.introspect_token
    begin_device_authorization = BlockingSession.begin_device_authorization
    finish_device_authorization = BlockingSession.finish_device_authorization
    verify_id_token = BlockingSession.verify_id_token
    userinfo = BlockingSession.userinfo
    verify_logout_token = BlockingSession.verify_logout_token
    _find_endpoint = BlockingSession._find_endpoint
    _run = BlockingSession._run
    _perform = BlockingSession._perform

    def _exchange(self, request: Request) -> Response:
        from doorkey.transport.on_requests import exchange

        return exchange(self, request, self._oauth.options.exchange, self.default_timeout)
