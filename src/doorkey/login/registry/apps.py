"""`BlockingApp` and `AwaitingApp`: the methods of a registered client, made from its flows.

The subclass for a framework adds how to read the query, the form and the session of a request, and how to redirect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from doorkey.errors import UsageError
from doorkey.login.registry.openid_flows import OpenIDFlows
from doorkey.sessions.blocking_awaiting import awaiting, blocking
from doorkey.wire.flow import Flow, arun, run

if TYPE_CHECKING:
    from doorkey.tokens import OAuth2Token

T = TypeVar("T")


class BlockingApp(OpenIDFlows):
    """A synchronous registered client, with the methods that need no request of the framework. Thread-safe."""

    request = blocking(OpenIDFlows._request)
    get = blocking(OpenIDFlows._get)
    post = blocking(OpenIDFlows._post)
    patch = blocking(OpenIDFlows._patch)
    put = blocking(OpenIDFlows._put)
    delete = blocking(OpenIDFlows._delete)
    load_server_metadata = blocking(OpenIDFlows._load_server_metadata)
    create_authorization_url = blocking(OpenIDFlows._create_authorization_url)
    fetch_access_token = blocking(OpenIDFlows._fetch_access_token)
    fetch_token = blocking(OpenIDFlows._fetch_token_of_client)
    refresh_token = blocking(OpenIDFlows._refresh_token)
    revoke_token = blocking(OpenIDFlows._revoke_token)
    introspect_token = blocking(OpenIDFlows._introspect_token)
    fetch_jwk_set = blocking(OpenIDFlows._fetch_jwk_set)
    parse_id_token = blocking(OpenIDFlows._parse_id_token)
    userinfo = blocking(OpenIDFlows._userinfo)
    create_logout_url = blocking(OpenIDFlows._create_logout_url)

    def close(self) -> None:
        """Close the connections to the provider. A later request opens new ones."""
        for session in self._take_sessions():
            session.close()

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, _refuse)

    def _saving(self, renewed: Callable[[OAuth2Token], None]) -> Callable[..., Any]:
        def save(token: OAuth2Token, refresh_token: str | None = None, access_token: str | None = None) -> None:
            renewed(token)
            self._run(self._save_token(token, refresh_token, access_token))

        return save


class BlockingRequestApp(BlockingApp):
    """A registered client for a framework with synchronous views that get the request as an argument."""

    save_authorize_data = blocking(OpenIDFlows._save_authorize_data)
    authorize_redirect = blocking(OpenIDFlows._authorize_redirect)
    authorize_access_token = blocking(OpenIDFlows._authorize_access_token)
    logout_redirect = blocking(OpenIDFlows._logout_redirect)
    validate_logout_response = blocking(OpenIDFlows._validate_logout_response)


class AwaitingApp(OpenIDFlows):
    """A registered client for a framework with asynchronous views. Any number of tasks may share it."""

    request = awaiting(OpenIDFlows._request)
    get = awaiting(OpenIDFlows._get)
    post = awaiting(OpenIDFlows._post)
    patch = awaiting(OpenIDFlows._patch)
    put = awaiting(OpenIDFlows._put)
    delete = awaiting(OpenIDFlows._delete)
    load_server_metadata = awaiting(OpenIDFlows._load_server_metadata)
    create_authorization_url = awaiting(OpenIDFlows._create_authorization_url)
    save_authorize_data = awaiting(OpenIDFlows._save_authorize_data)
    authorize_redirect = awaiting(OpenIDFlows._authorize_redirect)
    authorize_access_token = awaiting(OpenIDFlows._authorize_access_token)
    fetch_access_token = awaiting(OpenIDFlows._fetch_access_token)
    fetch_token = awaiting(OpenIDFlows._fetch_token_of_client)
    refresh_token = awaiting(OpenIDFlows._refresh_token)
    revoke_token = awaiting(OpenIDFlows._revoke_token)
    introspect_token = awaiting(OpenIDFlows._introspect_token)
    fetch_jwk_set = awaiting(OpenIDFlows._fetch_jwk_set)
    parse_id_token = awaiting(OpenIDFlows._parse_id_token)
    userinfo = awaiting(OpenIDFlows._userinfo)
    create_logout_url = awaiting(OpenIDFlows._create_logout_url)
    logout_redirect = awaiting(OpenIDFlows._logout_redirect)
    validate_logout_response = awaiting(OpenIDFlows._validate_logout_response)

    async def aclose(self) -> None:
        """Close the connections to the provider. A later request opens new ones."""
        for session in self._take_sessions():
            await session.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, _refuse_async)

    def _saving(self, renewed: Callable[[OAuth2Token], None]) -> Callable[..., Any]:
        async def save(token: OAuth2Token, refresh_token: str | None = None, access_token: str | None = None) -> None:
            renewed(token)
            await self._run(self._save_token(token, refresh_token, access_token))

        return save


class UnsupportedOAuth1App:
    """Placeholder for the client of an OAuth 1 provider (RFC 5849). It can be registered, but any use raises an error.

    `OAuth.oauth1_client_cls` is the extension point: a class that is called as ``kind(framework, name, **options)``.
    """

    OAUTH_APP_CONFIG: ClassVar[None] = None

    def __init__(self, framework: Any, name: Any = None, **options: Any) -> None:
        del options
        self.framework = framework
        self.name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UsageError(
            f"{self.name!r} is registered with request_token_url, an option of OAuth 1, which is not supported yet: "
            "register the OAuth 2 endpoints of this provider, or set oauth1_client_cls of the registry to a class"
        )


def _refuse(effect: object) -> Any:
    raise UsageError(f"a registered client cannot perform {type(effect).__name__}")


async def _refuse_async(effect: object) -> Any:
    _refuse(effect)
