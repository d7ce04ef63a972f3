"""`FlaskOAuth2App`: a registered client for Flask, which uses Flask's global request and session."""

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
from doorkey.resource.flask_request import bounded_form, request_values
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from doorkey.tokens import OAuth2Token

__all__ = ["FlaskOAuth2App"]


class FlaskOAuth2App(BlockingApp):
    """The client of a provider in a Flask application. Its methods use Flask's current request.

    framework: the `FlaskIntegration` of this registration.
    name: the name of the registration.
    options: the options of `OAuth.register`.

    Raises `UsageError` for an invalid option.
    """

    client_cls: ClassVar[Any] = default_session_class()
    _proxy_setting: ClassVar[str] = FLASK

    @property
    def token(self) -> Any:
        """The token for the current request: that of a login that just ended, else the result of `fetch_token`; or
        None."""
        found: Any = (request_values() or {}).get(self._attribute)
        if not found and self._fetch_token is not None:
            found = self._fetch_token()
            self._keep_for_request(found)
        return found

    @token.setter
    def token(self, token: Any) -> None:
        kept = request_values()
        if kept is None:
            raise UsageError("a token can only be assigned in a request, or in the application context of Flask")
        kept[self._attribute] = token

    @property
    def _attribute(self) -> str:
        return f"oauth_token_{self.name}"

    @clears_locals
    def authorize_redirect(self, redirect_uri: Any = None, **parameters: Any) -> Response:
        """Begin a login, and return the redirect to the provider.

        redirect_uri: the URL of the callback.
        parameters: as for `create_authorization_url`.

        Raises the errors of `create_authorization_url`.
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
        """Finish the login whose callback is the current request, and return the token.

        The ID token is verified. Its claims are ``token["userinfo"]``.

        claims_options: further conditions for claims, as for `jwt.decode`.
        claims_cls: a class of claims with additional checks.
        leeway: accepted clock skew between the provider and this machine in seconds; None: 60.
        parameters: further parameters of the token request, for instance `resource`.

        Raises `LoginError` if the callback belongs to no login of this browser, `VerificationError` for an invalid
        callback or ID token, `ServerError` for an error response, and `TransportError` without a response.
        """
        return self._run(self._authorize_access_token(None, claims_options, claims_cls, leeway, **parameters))

    @clears_locals
    def save_authorize_data(self, **data: Any) -> None:
        """Store a login in the browser session.

        data: the members of the result of `create_authorization_url`, such as `state`, and `redirect_uri`.

        Raises `UsageError` without a state.
        """
        self._run(self._save_authorize_data(None, **data))

    @clears_locals
    def logout_redirect(
        self, post_logout_redirect_uri: Any = None, id_token_hint: str | None = None, **parameters: Any
    ) -> Response:
        """Return a redirect to the provider's logout endpoint.

        post_logout_redirect_uri, id_token_hint, parameters: as for `create_logout_url`.

        Raises the errors of `create_logout_url`.
        """
        found: Response = self._run(self._logout_redirect(None, post_logout_redirect_uri, id_token_hint, **parameters))
        return found

    @clears_locals
    def validate_logout_response(self) -> dict[str, Any]:
        """Check the state of a logout response in the current request, and return the data of that logout.

        Raises `MismatchingStateError` if the state does not belong to a logout that this browser began.
        """
        return self._run(self._validate_logout_response(None))

    def _requested_token(self, request: Any) -> Any:
        del request
        return self.token

    def _keep_for_request(self, token: Any) -> None:
        kept = request_values()
        if kept is not None:
            kept[self._attribute] = token

    def _browser_session(self, request: Any) -> MutableMapping[str, Any]:
        del request
        proxy: Any = session
        if isinstance(proxy._get_current_object(), NullSession):
            raise UsageError("Flask has no session: set the application's SECRET_KEY, which signs the session cookie")
        return session

    def _renew_session(self, browser: MutableMapping[str, Any], request: Any) -> None:
        """Renew the ID of a server-side session, for instance of Flask-Session. Flask's own cookie session has no
        ID."""
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
        except HTTPException:  # the form is too long, or has too many fields
            pass
        raise VerificationError("callback", "is a form that is too large for the limits of the application")

    def _query(self, request: Any) -> Any:
        del request
        return current.args

    def _header(self, request: Any, name: str) -> str:
        del request
        return current.headers.get(name, "")

    def _redirect(self, url: str) -> Response:
        return redirect(url)
