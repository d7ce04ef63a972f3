"""Runs where the library is: eight threads need a token of it at the same time, and each prints how its call ended.

Then, after a line from stdin, one more call: the server has revoked the token meanwhile.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier
from typing import Any

issuer, api = sys.argv[2:]
endpoint = f"{issuer}/protocol/openid-connect/token"


def httpx_oauth2() -> Callable[[], Any]:
    """A client of httpx whose transport has the token of the client."""
    oauth: Any = import_module("httpx_oauth2")
    http: Any = import_module("httpx")
    authority = oauth.OAuthAuthorityClient(http.Client(base_url=issuer, timeout=60))
    transports = oauth.AuthenticatingTransportFactory(authority)
    credentials = oauth.ClientCredentials("client-1", "my-secret", ("email",))
    client = http.Client(transport=transports.authenticating_transport(http.HTTPTransport(), credentials))
    return lambda: client.get(api).status_code


def httpx_auth() -> Callable[[], Any]:
    """A client of httpx whose auth object has the token of the client."""
    auth: Any = import_module("httpx_auth")
    http: Any = import_module("httpx")
    has_token = auth.OAuth2ClientCredentials(endpoint, client_id="client-1", client_secret="my-secret", scope="email")
    client = http.Client(auth=has_token)
    return lambda: client.get(api).status_code


def msal() -> Callable[[], Any]:
    """An application that sends its token with requests."""
    library: Any = import_module("msal")
    requests: Any = import_module("requests")
    app = library.ConfidentialClientApplication("client-1", client_credential="my-secret", oidc_authority=issuer)

    def call() -> Any:
        token = app.acquire_token_for_client(["email"])["access_token"]
        return requests.get(api, headers={"Authorization": f"Bearer {token}"}).status_code

    return call


def requests_oauthlib() -> Callable[[], Any]:
    """A session whose token of alice has expired."""
    library: Any = import_module("requests_oauthlib")
    legacy: Any = import_module("oauthlib.oauth2").LegacyApplicationClient("client-1")
    identity = {"client_id": "client-1", "client_secret": "my-secret"}
    session = library.OAuth2Session(
        client=legacy,
        scope=["profile", "email"],
        auto_refresh_url=endpoint,
        auto_refresh_kwargs=identity,
        token_updater=len,  # it raises after each renewal without one
    )
    token = session.fetch_token(endpoint, username="alice", password="wonderland", **identity)
    session.token = {**token, "expires_at": 1}
    return lambda: session.get(api).status_code


def doorkey() -> Callable[[], Any]:
    """A session whose token of alice has expired."""
    session: Any = import_module("doorkey").OAuth2Session("client-1", "my-secret", issuer=issuer)
    token = session.fetch_token(username="alice", password="wonderland")
    session.token = {**token, "expires_at": 1}
    return lambda: session.get(api).status_code


call = {made.__name__: made for made in (httpx_oauth2, httpx_auth, msal, requests_oauthlib, doorkey)}[sys.argv[1]]()
together = Barrier(8)


def outcome(_: int) -> str:
    """Call when all threads are ready, and return the status or the name of the error."""
    together.wait()
    try:
        return str(call())
    except Exception as error:  # noqa: BLE001  # of whichever library
        return type(error).__name__


print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(8) as threads:
    print(*sorted(threads.map(outcome, range(8))), flush=True)
sys.stdin.readline()
together = Barrier(1)
print(outcome(0), flush=True)
