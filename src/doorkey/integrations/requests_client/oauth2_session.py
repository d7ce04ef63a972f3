"""`OAuth2Session`: a `requests.Session` that gets, keeps and sends tokens."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from doorkey.errors import TransportError, UsageError
from doorkey.integrations.requests_client.oauth2_auth import OAuth2Auth
from doorkey.oauth2.client import OAuth2Client
from doorkey.oauth2.operations import blocking

if TYPE_CHECKING:
    from doorkey.oauth2.options import UpdateToken
    from doorkey.protocol.client_auth import ClientAuthMethod
    from doorkey.protocol.flow import Flow

T = TypeVar("T")

_AUTH = 5  # the place of `auth` after `method` and `url` in requests.Session.request
_WITHHELD: Any = object()
"""The `auth` of a request that goes without the token."""


class OAuth2Session(OAuth2Client, requests.Session):
    """A `requests.Session` whose requests carry a token that stays fresh; adapters, hooks, proxies and TLS are its own.

    `default_timeout` (seconds, or requests' pair) is for requests that name no timeout. The other options are those of
    `doorkey.oauth2.client.OAuth2Client`. Any number of threads may share one session.
    """

    def __init__(
        self,
        client_id: str | None = None,
        client_secret: Any = None,
        token_endpoint_auth_method: str | ClientAuthMethod | None = None,
        revocation_endpoint_auth_method: str | ClientAuthMethod | None = None,
        scope: str | list[str] | tuple[str, ...] | None = None,
        state: str | None = None,
        redirect_uri: str | None = None,
        token: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        update_token: UpdateToken | None = None,
        leeway: float | None = None,
        default_timeout: float | tuple[float, float] | None = None,
        **options: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        from doorkey.integrations.requests_client.exchange import RequestsLibrary, check_timeout
        from doorkey.oauth2.options import session_options
        from doorkey.single_flight import SingleFlight

        del given["default_timeout"]
        own, _, token = session_options({**given, **options}, known_elsewhere={"default_timeout"}, blocking=True)
        check_timeout(default_timeout)
        requests.Session.__init__(self)
        self.default_timeout = default_timeout
        self._set_up(own, RequestsLibrary(), token)
        self._flight = SingleFlight(self._oauth.slot, self._perform, own.clock)
        self.token_auth = OAuth2Auth(self)

    def request(  # type: ignore[override]  # `withhold_token` is ours; the rest is passed on as it is
        self, method: str, url: str, *args: Any, withhold_token: bool = False, **kwargs: Any
    ) -> requests.Response:
        """Send a request with the token, or without it when `withhold_token`; all else as requests does.

        An `auth` given here replaces the token. Raises `MissingTokenError`, `TokenExpiredError` or the renewal's error
        rather than send a request without the token it was to carry.
        """
        if withhold_token and len(args) > _AUTH:
            args = (*args[:_AUTH], args[_AUTH] or _WITHHELD, *args[_AUTH + 1 :])
        elif withhold_token:
            kwargs["auth"] = kwargs.get("auth") or _WITHHELD
        if self.default_timeout is not None:
            kwargs.setdefault("timeout", self.default_timeout)
        return super().request(method, url, *args, **kwargs)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare a request as requests does, for `send`, and sign it with the token unless it has its own `auth`.

        Raises as `request` does.
        """
        if request.auth is None or request.auth is _WITHHELD:
            request = copy(request)
            request.auth = self.token_auth if request.auth is None else None
        return super().prepare_request(request)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take the token off a redirect to another host, port or scheme."""
        from doorkey.protocol.endpoint import origin_of

        before, after = response.request.url or "", prepared_request.url or ""
        if origin_of(before) == origin_of(after):
            return
        prepared_request.headers.pop("Authorization", None)
        if self._oauth.options.token_placement == "body" and prepared_request.body:
            raise TransportError("an API redirects a request whose body carries the token to another origin")

    def __getstate__(self) -> Any:
        """Refuse to be pickled: a session holds secrets."""
        raise UsageError("a session is not pickled, as it holds secrets: make one where it is needed")

    if TYPE_CHECKING:  # requests' own pass on what they do not know
        # fmt: off
        def get(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        def options(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        def head(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        def post(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        def put(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        def patch(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        def delete(self, url: Any, *args: Any, withhold_token: bool = ..., **kwargs: Any) -> requests.Response: ...  # noqa: D102
        # fmt: on

    # -- the family's operations, blocking ---------------------------------------------------------------------------

    fetch_token = blocking(OAuth2Client._fetch_token)
    fetch_access_token = fetch_token
    token_from_fragment = blocking(OAuth2Client._token_from_fragment)
    refresh_token = blocking(OAuth2Client._refresh_token)
    ensure_active_token = blocking(OAuth2Client._ensure_active_token)
    revoke_token = blocking(OAuth2Client._revoke_token)
    introspect_token = blocking(OAuth2Client._introspect_token)

    def _run(self, flow: Flow[T]) -> T:
        from doorkey.protocol.flow import run

        return run(flow, self._perform)

    def _perform(self, effect: Any) -> Any:
        from doorkey.integrations.requests_client.exchange import exchange
        from doorkey.protocol.http import Request
        from doorkey.single_flight import Active, Renewed

        match effect:
            case Request():
                return exchange(self, effect, self._oauth.options.exchange, self.default_timeout)
            case Renewed():
                return self._flight.renewed(effect.renew)
            case Active():
                return self._flight.token()
            case _:
                raise UsageError(f"a session cannot perform {type(effect).__name__}")
