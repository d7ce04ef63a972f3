"""`FlaskOAuth2App`: a registered client whose views use Flask's global request and session."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar

from flask import current_app, redirect, session
from flask import request as current
from flask.sessions import NullSession
from werkzeug.exceptions import HTTPException

from doorkey.errors import UsageError, VerificationError
from doorkey.integrations.base_client.session_classes import default_session_class
from doorkey.login.proxy_settings import FLASK
from doorkey.login.registry.apps import BlockingApp
from doorkey.protocol.authorization import MAX_CALLBACK
from doorkey.resource.flask_request import bounded_form, of_request
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from doorkey.tokens import OAuth2Token

__all__ = ["FlaskOAuth2App"]


class FlaskOAuth2App(BlockingApp):
    """The client of a provider in a Flask application. Its methods use the request that is being processed.

    framework: the `FlaskIntegration` of this registration.
    name: of the registration.
    options: those of `OAuth.register`.

    Raises `UsageError` for an invalid option.
    """

    client_cls: ClassVar[Any] = default_session_class()
    _proxy_setting: ClassVar[str] = FLASK

    @property
    def token(self) -> Any:
        """The token of this request: of the login that has just ended, else what `fetch_token` returns; or None."""
        found: Any = (of_request() or {}).get(self._attribute)
        if not found and self._fetch_token is not None:
            found = self._fetch_token()
            self._keep_for_request(found)
        return found

    @token.setter
    def token(self, token: Any) -> None:
        kept = of_request()
        if kept is None:
            raise UsageError("a token is assigned in a request, or in the context of the application")
        kept[self._attribute] = token

    @property
    def _attribute(self) -> str:
        return f"oauth_token_{self.name}"

    @clears_locals
    def authorize_redirect(self, redirect_uri: Any = None, **parameters: Any) -> Response:
        """Begin a login, and return the redirect to the provider.

        redirect_uri: of the callback.
        parameters: as for `create_authorization_url`.

        Raises as `create_authorization_url` does.
        """
        found: Response = self._run(self._authorize_redirect(None, redirect_uri, **parameters))
        return found

    @clears_locals
    def authorize_access_token(
        self,
        claims_options: Mapping[str, Any] | None = None,
        claims_cls: Any = None,
        leeway: float | None = None,
        **parameters: Any,
    ) -> OAuth2Token:
        """Finish the login whose callback is being processed, and return the token.

        The ID token is verified. Its claims are ``token["userinfo"]``.

        claims_options: further conditions for claims, as for `jwt.decode`.
        claims_cls: a class of claims that checks more.
        leeway: seconds by which the clocks of the provider and of this machine may differ; None: 60.
        parameters: of the token request, for instance `resource`.

        Raises `LoginError` for a callback that belongs to no login of this browser, `VerificationError` for a callback
        or an ID token that is rejected, `ServerError` for an error of the provider, and `TransportError` if it is down.
        """
        return self._run(self._authorize_access_token(None, claims_options, claims_cls, leeway, **parameters))

    @clears_locals
    def save_authorize_data(self, **data: Any) -> None:
        """Store a login in the browser session: the result of `create_authorization_url`, and the redirect URI.

        data: `state`, `redirect_uri` and the others.

        Raises `UsageError` without a state.
        """
        self._run(self._save_authorize_data(None, **data))

    @clears_locals
    def logout_redirect(
        self, post_logout_redirect_uri: Any = None, id_token_hint: str | None = None, **parameters: Any
    ) -> Response:
        """Return the redirect to the logout of the provider.

        post_logout_redirect_uri, id_token_hint, parameters: as for `create_logout_url`.

        Raises as `create_logout_url` does.
        """
        found: Response = self._run(self._logout_redirect(None, post_logout_redirect_uri, id_token_hint, **parameters))
        return found

    @clears_locals
    def validate_logout_response(self) -> dict[str, Any]:
        """Check the state with which the browser returns from a logout, and return the data of that logout.

        Raises `MismatchingStateError` for a state that is not that of a logout which this browser began.
        """
        return self._run(self._validate_logout_response(None))

    def _requested_token(self, request: Any) -> Any:
        del request
        return self.token

    def _keep_for_request(self, token: Any) -> None:
        kept = of_request()
        if kept is not None:
            kept[self._attribute] = token

    def _browser_session(self, request: Any) -> MutableMapping[str, Any]:
        del request
        proxy: Any = session
        if isinstance(proxy._get_current_object(), NullSession):
            raise UsageError("Flask has no session: set SECRET_KEY of the application, with which it signs the cookie")
        return session

    def _renew_session(self, browser: MutableMapping[str, Any], request: Any) -> None:
        """Renew the ID of a session on the server, as Flask-Session has them. Flask's own is a cookie, and has none."""
        of_browser: Any = browser
        renew: Any = getattr(current_app.session_interface, "regenerate", None)
        if callable(renew):
            renew(of_browser._get_current_object())

    def _callback(self, request: Any) -> Any:
        del request
        if current.method == "GET":
            return current.args
        try:
            return bounded_form(MAX_CALLBACK)
        except HTTPException:  # too long, or too many fields
            pass
        raise VerificationError("callback", "is a form that the application refuses to read: it is too large")

    def _query(self, request: Any) -> Any:
        del request
        return current.args

    def _header(self, request: Any, name: str) -> str:
        del request
        return current.headers.get(name, "")

    def _redirect(self, url: str) -> Response:
        return redirect(url)
