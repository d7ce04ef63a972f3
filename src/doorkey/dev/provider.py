"""A provider in a background thread: `with Provider() as provider:` in a program, or as a pytest fixture."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import uvicorn

from doorkey.arguments import count, encodable, instance, named, text
from doorkey.dev.app import App
from doorkey.dev.connections import limited_to
from doorkey.dev.faults import Faults
from doorkey.dev.headless import HeadlessBrowser
from doorkey.dev.keycloak import ADMIN_REALM, PROTOCOL
from doorkey.dev.limits import Limits, TrustedProxies, public_origin
from doorkey.dev.local_http import sent
from doorkey.dev.logout_calls import LogoutCall, LogoutCalls
from doorkey.dev.request_log import RequestLog
from doorkey.dev.service import Service
from doorkey.errors import UsageError
from doorkey.server.ended_sessions import SendLogoutToken
from doorkey.server.model import Settings
from doorkey.server.option_names import options_checked
from doorkey.server.registrations import Client, User
from doorkey.server.storage.records import MemoryRecords, Records
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.wire.urls import is_loopback

START_SECONDS = 10.0
STOP_SECONDS = 10.0
"""How long to wait for a server that is to be ready, and for one to end that did not become so."""
MAX_PORT = 65535
BROWSER_SECONDS = 60.0
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # how to reach what listens at every address
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # listened at only with a public_url


@options_checked("a provider")
class Provider(Service):
    """An OpenID provider that emulates Keycloak.

    Its realms `master` and `rotating` have the clients and users of `registrations`.

    clients: added in every realm; one with the name of a default client replaces it.
    users: added in every realm; one with the name of a default user replaces it.
    realms: settings by name of the realm; they add realms, or replace the settings of `master` and `rotating`.
    client_jwks: clients that authenticate with `private_key_jwt`: a JWK Set of public keys by client ID.
    trusted_issuers: issuers whose assertions `assertion-client` may present: a JWK Set of public keys by issuer.
    access_token_lifetime: seconds, in all realms.
    store: path of an SQLite file that outlives the provider; None: everything is in memory.
    host: the address or name to listen at; defaults to 127.0.0.1.
    port: the port to listen at; 0: any free one.
    allow_remote: True permits a host beyond loopback.
    public_url: origin by which clients and browsers reach the provider (`https://login.example`). Every issuer and
        endpoint has it, whatever a request's `Host` header is. Required for 0.0.0.0 and ::. Beyond loopback it defaults
        to `http://HOST:PORT`; on loopback, to the loopback name that a request was sent to.
    trusted_proxies: addresses or networks of reverse proxies whose `X-Forwarded-For` names the caller.
    limits: bounds on the time of a request and the number of connections.
    clock: returns POSIX seconds; None: `time.time`.

    Raises `UsageError` for a host beyond loopback unless `allow_remote` is set, and for invalid arguments.
    """

    def __init__(
        self,
        *,
        clients: Iterable[Client] = (),
        users: Iterable[User] = (),
        realms: Mapping[str, Settings] | None = None,
        client_jwks: Mapping[str, Mapping[str, Any]] | None = None,
        trusted_issuers: Mapping[str, Mapping[str, Any]] | None = None,
        access_token_lifetime: int | None = None,
        store: str | os.PathLike[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        public_url: str | None = None,
        trusted_proxies: Iterable[str] = (),
        limits: Limits | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        instance(allow_remote, bool, "allow_remote is True or False")
        if not is_loopback(named(host, "host")) and not allow_remote:
            raise UsageError(f"the provider is for this machine; listening at {host} must be allowed explicitly")
        count(port, "port", least=0, most=MAX_PORT)
        super().__init__(clients, users, realms, client_jwks, trusted_issuers, access_token_lifetime, clock)
        self.requests = RequestLog()
        self.faults = Faults()
        self.logout_calls = LogoutCalls()
        self._host, self._port = host, port
        self._public_url = None if public_url is None else public_origin(public_url)
        if self._public_url is None and host in ANY_ADDRESS:
            raise UsageError(f"a provider that listens at {host} needs public_url=, the origin by which it is reached")
        self._proxies = TrustedProxies(trusted_proxies)
        self._limits = Limits() if limits is None else instance(limits, Limits, "limits is doorkey.dev.Limits")
        self._store_path = _path(store)
        self._store: Records | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen, and return once requests are answered.

        Raises `UsageError` if the address is taken or the server does not start; nothing of it is left then.
        """
        self._clock.now()  # a clock without a time is an error here, and not a response with status 500
        listener = _listen(self._host, self._port)
        try:
            self._serve(listener)
        except BaseException:
            self._let_go(STOP_SECONDS)
            listener.close()
            raise
        return self

    def stop(self) -> None:
        """Stop listening, and close the store."""
        self._let_go()

    def _serve(self, listener: socket.socket) -> None:
        self._store = MemoryRecords() if self._store_path is None else SQLiteRecords(self._store_path)
        self._port = listener.getsockname()[1]
        public = self._public_url or (None if is_loopback(self._host) else self.origin.lower())
        keycloak = self.open(self._store, public)
        self._server = _Server(
            App(keycloak, self.faults, self.requests, self._limits, self._proxies, self.logout_calls), self._limits
        )
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS) or self._server.failure is not None:
            raise UsageError("the provider did not start") from self._server.failure

    def _let_go(self, timeout: float | None = None) -> None:
        """Wait for the thread, at most `timeout` seconds, and close the store."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout)
        if self._store is not None:
            self._store.close()
        self._server = self._thread = self._store = self._keycloak = None

    def wait(self) -> None:
        """Return when the provider has stopped."""
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens at; 0 before it was started on a free one."""
        return self._port

    @property
    def origin(self) -> str:
        """Scheme, host and port: `public_url`, or where it listens. Raises `UsageError` before a free port is found."""
        if self._public_url is not None:
            return self._public_url
        if not self._port:
            raise UsageError(
                "the provider has no address yet: start it, `with Provider() as provider:`, or give a port"
            )
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def token_endpoint(self) -> str:
        """The token endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/token"

    @property
    def authorization_endpoint(self) -> str:
        """The authorization endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/auth"

    @property
    def introspection_endpoint(self) -> str:
        """The introspection endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/token/introspect"

    @property
    def revocation_endpoint(self) -> str:
        """The revocation endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/revoke"

    @property
    def userinfo_endpoint(self) -> str:
        """The userinfo endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/userinfo"

    @property
    def end_session_endpoint(self) -> str:
        """The logout endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/logout"

    @property
    def jwks_uri(self) -> str:
        """Where the keys of realm `master` are."""
        return self.issuer + PROTOCOL + "/certs"

    @property
    def echo(self) -> str:
        """A protected resource that answers what it was sent; see `App`."""
        return self.origin + "/echo"

    @property
    def token_requests(self) -> int:
        """How many token requests were answered, in all realms, since the last `requests.clear()`."""
        return len(self.requests.to(f"{PROTOCOL}/token"))

    def log_in(self, url: str, username: str, password: str | None = None) -> str:
        """Log a user in at an authorization request's `url`, in a browser of its own, and return the callback URL.

        Nothing listens at the callback URL: the test gives it to the client. `password` defaults to the user's. Raises
        `UsageError` if the login does not come back to the client.
        """
        known = self._user(username)
        if password is None and known is not None and known.password is not None:
            password = known.password.reveal()
        return self.browser().log_in(url, text(username, "username"), text(password or "", "password"))

    def send_logout_token(
        self,
        username: str | None = None,
        *,
        client_id: str,
        sid: str | None = None,
        claims: Mapping[str, Any] | None = None,
        key: object = None,
        realm: str = ADMIN_REALM,
    ) -> LogoutCall:
        """Post a new logout token to a client, and return what came of it.

        The parameters and errors are those of `logout_token`. Raises `UsageError` for a client that registered no
        `backchannel_logout_uri`.
        """
        uri = self._client(client_id).backchannel_logout_uri
        if uri is None:
            raise UsageError("this client has no backchannel_logout_uri: register it with one")
        token = self.logout_token(username, client_id=client_id, sid=sid, claims=claims, key=key, realm=realm)
        return self.logout_calls.post(SendLogoutToken(uri, token))

    def browser(self) -> HeadlessBrowser:
        """Return a new browser for the pages of this provider: a second login in it needs no password."""
        self._running()
        host = LOOPBACK.get(self._host, self._host)
        return HeadlessBrowser(lambda request: sent(request, (host, self._port), None, BROWSER_SECONDS), self._is_ours)

    def _is_ours(self, url: str) -> bool:
        parts = urlsplit(url)
        own_port = parts.netloc.endswith(f":{self._port}") and is_loopback(parts.hostname or "")
        return own_port or parts.netloc.lower() == urlsplit(self.origin).netloc

    def __repr__(self) -> str:
        return f"<Provider {self.issuer if self._thread else 'not started'}>"


class _Server(uvicorn.Server):
    """uvicorn, with an event for when it is ready, or has failed."""

    def __init__(self, app: App, limits: Limits) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=limited_to(limits),
                proxy_headers=False,  # uvicorn would trust every process of this machine; App knows whom to trust
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self.ready = threading.Event()
        self.failure: BaseException | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set `ready`; `failure` is the error if that failed."""
        try:
            await super().startup(sockets)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the thread that waits raises it
            self.failure = error
            self.should_exit = True
        finally:
            self.ready.set()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only where it is: 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, ValueError, TypeError) as error:  # the latter of a host that is no name, or has a NUL
        listener.close()
        raise UsageError(f"cannot listen at {host}:{port} ({getattr(error, 'strerror', 'no host')})") from error
    return listener


def _path(given: str | os.PathLike[str] | None) -> str | None:
    if given is None:
        return None
    asked: object = given
    name: object = os.fspath(given) if isinstance(asked, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name or not encodable(name):
        raise UsageError("store is the path of a file, or None to keep everything in memory")
    return name
