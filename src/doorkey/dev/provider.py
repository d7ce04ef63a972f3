"""A provider in a background thread: `with Provider() as provider:` in a program, or as a pytest fixture."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from doorkey.arguments import count, encodable, flag, instance, nonempty_text, text
from doorkey.dev.app import App
from doorkey.dev.browser import DEVICE_PATH
from doorkey.dev.certificates import LOOPBACK_NAMES, Certificates
from doorkey.dev.control_page import PATH, ControlPage
from doorkey.dev.faults import Faults
from doorkey.dev.headless import HeadlessBrowser
from doorkey.dev.hosts import Hosts
from doorkey.dev.keycloak import ADMIN_REALM, PROTOCOL, REGISTRATION
from doorkey.dev.limits import Limits, TrustedProxies, public_origin
from doorkey.dev.local_http import sent
from doorkey.dev.logout_calls import LogoutCall, LogoutCalls
from doorkey.dev.registration_policy import registration_policy
from doorkey.dev.request_log import RequestLog
from doorkey.dev.service import Service
from doorkey.dev.serving import Server, listen
from doorkey.errors import UsageError
from doorkey.server.ended_sessions import SendLogoutToken, end_session
from doorkey.server.model import Settings
from doorkey.server.option_names import options_checked
from doorkey.server.registrations import Client, User
from doorkey.server.storage.records import MemoryRecords, Records
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.values import Secret
from doorkey.wire.urls import is_loopback

START_SECONDS = 10.0
STOP_SECONDS = 10.0
"""Seconds to wait for the start of a server, and for the end of a server whose start has failed."""
MAX_PORT = 65535
BROWSER_SECONDS = 60.0
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where to reach a server that listens on all addresses
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # needs a public_url


@options_checked("a provider")
class Provider(Service):
    """An OpenID provider that emulates Keycloak.

    Its realms `master` and `rotating` have the clients and users of `registrations`.

    clients: further clients in every realm. A client with the ID of a default client replaces it.
    users: further users in every realm. A user with the name of a default user replaces it.
    realms: settings by the name of the realm. They add realms, or replace the settings of `master` and `rotating`.
    client_jwks: JWK Sets of public keys by client ID, for clients that authenticate with `private_key_jwt`.
    trusted_issuers: JWK Sets of public keys by issuer. `assertion-client` may send assertions of these issuers.
    access_token_lifetime: seconds, in all realms; None: the lifetime in each realm's settings.
    store: path of an SQLite file for sessions and keys, which survive the provider; None: all data is in memory.
    host: the address or host name to listen on.
    port: the port to listen on; 0: any free port.
    allow_remote: True permits a host beyond loopback.
    https: True serves HTTPS, with a new certificate for each start; `ca_file` and `ssl_context` trust it.
    public_url: the origin by which clients and browsers reach the provider (`https://login.example`). All issuers have
        it, and without `host_names` all endpoints, independent of a request's `Host`. Required for 0.0.0.0 and ::.
        Beyond loopback it defaults to the origin of `host` and `port`, and on loopback to that of each request's URL.
    host_names: other host names of the provider, such as the name of its container. The endpoints for programs then
        have the host of each request, but the issuer and the pages still have the origin `public_url`.
    trusted_proxies: addresses or networks of reverse proxies whose `X-Forwarded-For` contains the caller's address.
    limits: limits for the time of a request and for the number of connections.
    clock: a callable that returns POSIX seconds; None: `time.time`.
    registration: whether clients may register themselves (RFC 7591), and whether a client ID may be the URL of a
        client's metadata document. None: only if the host and `public_url` are loopback.
    initial_access_token: the token that a registration must present. With it, `registration` defaults to True.
    control_page: True serves a page at `/dev` that changes users, adds faults, rotates keys and expires tokens, and
        lets each user log in without a password. Refused if other machines may reach the provider.

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
        https: bool = False,
        public_url: str | None = None,
        host_names: Iterable[str] = (),
        trusted_proxies: Iterable[str] = (),
        limits: Limits | None = None,
        clock: Callable[[], float] | None = None,
        registration: bool | None = None,
        initial_access_token: str | Secret | None = None,
        control_page: bool = False,
    ) -> None:
        instance(allow_remote, bool, "allow_remote must be True or False")
        if not is_loopback(nonempty_text(host, "host")) and not allow_remote:
            raise UsageError(f"listening at {host}, beyond loopback, must be allowed explicitly: set allow_remote=True")
        count(port, "port", least=0, most=MAX_PORT)
        super().__init__(clients, users, realms, client_jwks, trusted_issuers, access_token_lifetime, clock)
        self.requests = RequestLog()
        self.faults = Faults()
        self.logout_calls = LogoutCalls()
        self._host, self._port = host, port
        self._public_url = None if public_url is None else public_origin(public_url)
        if self._public_url is None and host in ANY_ADDRESS:
            raise UsageError(f"a provider that listens at {host} needs public_url=, the origin that clients use")
        self._https = flag(https, "https")
        public_host = "localhost" if self._public_url is None else urlsplit(self._public_url).hostname
        self._is_local = is_loopback(host) and is_loopback(public_host or "")
        self._registration_policy = registration_policy(registration, initial_access_token, by_default=self._is_local)
        self._host_names = Hosts(names=host_names).names
        self._certificates: Certificates | None = None
        self._proxies = TrustedProxies(trusted_proxies)
        self._has_control_page = flag(control_page, "control_page")
        if self._has_control_page and (reached := self._reached_by_others()):
            raise UsageError(f"control_page=True needs a provider that only this machine can reach: remove {reached}")
        self._limits = Limits() if limits is None else instance(limits, Limits, "limits is doorkey.dev.Limits")
        self._store_path = _path(store)
        self._store: Records | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Start listening, and return as soon as requests are accepted.

        Raises `UsageError` if the address is in use or the server does not start. All resources are released then.
        """
        self._clock.now()  # raises an error here for an invalid clock, which would cause responses with status 500
        listener = listen(self._host, self._port)
        try:
            self._serve(listener)
        except BaseException:
            self._release(STOP_SECONDS)
            listener.close()
            raise
        return self

    def stop(self) -> None:
        """Stop listening, and close the store."""
        self._release()

    def _serve(self, listener: socket.socket) -> None:
        self._store = MemoryRecords() if self._store_path is None else SQLiteRecords(self._store_path)
        self._port = listener.getsockname()[1]
        if self._https:
            self._certificates = Certificates((*LOOPBACK_NAMES, *self._names(), *self._host_names))
            self.logout_calls.tls = self._certificates.client_context(system=True)
        public = self._public_url or (None if is_loopback(self._host) else self.origin.lower())
        hosts = Hosts(public, self._host_names)
        options = {"at_loopback": self._is_local, "offers_users": self._has_control_page}
        keycloak = self._open(self._store, hosts, self._registration_policy, **options)
        page = ControlPage(self, keycloak, self.faults, self.requests) if self._has_control_page else None
        app = App(keycloak, self.faults, self.requests, self._limits, self._proxies, self.logout_calls, page)
        self._server = Server(app, self._limits, self._certificates)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS) or self._server.failure is not None:
            raise UsageError("the provider did not start") from self._server.failure

    def _release(self, timeout: float | None = None) -> None:
        """Stop the server, wait for its thread at most `timeout` seconds or until Ctrl-C, and close all resources."""
        with ExitStack() as left:
            for one in (self._certificates, self._store):
                if one is not None:
                    left.callback(one.close)
            if self._server is not None and self._thread is not None:
                self._server.stop()
                self._thread.join(timeout)
        self._server = self._thread = self._store = self._keycloak = self._certificates = None

    def wait(self) -> None:
        """Wait until the provider has stopped."""
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
        """The port that it listens on. With `port=0` it is 0 until the provider has started."""
        return self._port

    @property
    def origin(self) -> str:
        """The origin `public_url`, or that of its address. Raises `UsageError` if the port is not chosen yet."""
        if self._public_url is not None:
            return self._public_url
        if not self._port:
            raise UsageError("the provider has no address yet: start it, `with Provider() as provider:`, or pass port=")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._https else 'http'}://{host}:{self._port}"

    @property
    def ca_file(self) -> str:
        """The path of the authority's certificate in PEM, which clients must trust. It exists while the provider runs.

        Raises `UsageError` unless the provider is running with `https=True`.
        """
        return self._own_certificates().ca_file

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """A TLS context for clients, which trusts only this provider. Raises the errors of `ca_file`."""
        return self._own_certificates().client_context()

    @property
    def control_page(self) -> str | None:
        """The URL of the page that controls this provider, or None without `control_page=True`."""
        return self.origin + PATH if self._has_control_page else None

    def _reached_by_others(self) -> str:
        """Return the given options that let other machines reach the provider, as text."""
        given = {
            f"host={self._host!r}": not is_loopback(self._host),
            "public_url": self._public_url is not None,
            "host_names": bool(self._host_names),
            "trusted_proxies": bool(self._proxies.networks),
        }
        return ", ".join(name for name, is_given in given.items() if is_given)

    def _own_certificates(self) -> Certificates:
        if self._certificates is None:
            raise UsageError("the provider serves no HTTPS: use it inside `with Provider(https=True) as provider:`")
        return self._certificates

    def _names(self) -> Iterator[str]:
        """Yield the hosts of the provider's address and of its `public_url`."""
        if self._host not in ANY_ADDRESS:
            yield self._host
        if self._public_url is not None:
            yield urlsplit(self._public_url).hostname or ""

    @property
    def token_endpoint(self) -> str:
        """The token endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/token"

    @property
    def authorization_endpoint(self) -> str:
        """The authorization endpoint of realm `master`."""
        return self.issuer + PROTOCOL + "/auth"

    @property
    def device_authorization_endpoint(self) -> str:
        """The device authorization endpoint of realm `master` (RFC 8628 §3.1)."""
        return self.issuer + PROTOCOL + "/auth/device"

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
    def registration_endpoint(self) -> str:
        """The client registration endpoint of realm `master`."""
        return self.issuer + REGISTRATION

    @property
    def jwks_uri(self) -> str:
        """The URL of the key set of realm `master`."""
        return self.issuer + PROTOCOL + "/certs"

    @property
    def echo(self) -> str:
        """The URL of a protected resource that returns the request as JSON if it has a valid access token."""
        return self.origin + "/echo"

    @property
    def token_requests(self) -> int:
        """The number of processed token requests in all realms since the last `requests.clear()`, at most 10,000."""
        return len(self.requests.to(f"{PROTOCOL}/token"))

    def log_in(self, url: str, username: str, password: str | None = None) -> str:
        """Log a user in for an authorization request, in a new browser, and return the callback URL.

        url: the URL of the authorization request.
        username, password: the user's name, and the password to enter; None: the user's own password.

        The callback URL is not loaded: pass it to the client. Raises `UsageError` for a login that fails.
        """
        return self.browser().log_in(url, text(username, "username"), self._password_of(username, password))

    def approve_device(
        self, user_code: str, username: str, password: str | None = None, *, realm: str = ADMIN_REALM
    ) -> None:
        """Log a user in on the page of a device, in a new browser, and allow the device to log in.

        user_code, realm: the code that the device shows, and its realm.
        username, password: the user, as for `log_in`. Raises `UsageError` for a wrong code, password or realm.
        """
        self._answer_device(user_code, username, password, realm, approve=True)

    def deny_device(
        self, user_code: str, username: str, password: str | None = None, *, realm: str = ADMIN_REALM
    ) -> None:
        """Log a user in as `approve_device` does, with its parameters and errors, and deny the login of the device."""
        self._answer_device(user_code, username, password, realm, approve=False)

    def _answer_device(self, user_code: str, username: str, password: str | None, realm: str, *, approve: bool) -> None:
        query = urlencode({"user_code": text(user_code, "user_code")})
        url, given = f"{self.issuer_of(realm)}{DEVICE_PATH}?{query}", self._password_of(username, password)
        self.browser().answer_device(url, text(username, "username"), given, approve=approve)

    def _password_of(self, username: str, password: str | None) -> str:
        known = self._user(username)
        if password is None and known is not None and known.password is not None:
            return known.password.reveal()
        return text(password or "", "password")

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
        """Post a new logout token to a client, and return the call with the status of the response.

        The parameters and errors are those of `logout_token`. Also raises `UsageError` for a client without a
        `backchannel_logout_uri`.
        """
        uri = self._client(client_id).backchannel_logout_uri
        if uri is None:
            raise UsageError("this client has no backchannel_logout_uri: add it to the client's registration")
        token = self.logout_token(username, client_id=client_id, sid=sid, claims=claims, key=key, realm=realm)
        return self.logout_calls.post(SendLogoutToken(uri, token))

    def end_session(self, session_id: str, *, realm: str = ADMIN_REALM) -> bool:
        """End a session as an administrator, and notify its clients. Return whether the session existed.

        session_id, realm: the `sid` of an ID token, or the `session_state` of a token response, and its realm.

        Raises `UsageError` for an unknown realm, and before the provider has started.
        """
        keycloak, at = self._running(), self._at(realm)
        ended = keycloak.run_in(realm, end_session(at, text(session_id, "session_id")))
        for order in keycloak.take_logout_tokens():
            self.logout_calls.post(order)
        return ended.found

    def browser(self) -> HeadlessBrowser:
        """Return a new headless browser, which keeps its cookies. Raises `UsageError` before `start`."""
        self._running()
        host = LOOPBACK.get(self._host, self._host)
        tls = self.ssl_context if self._https else None
        return HeadlessBrowser(lambda request: sent(request, (host, self._port), tls, BROWSER_SECONDS), self._is_ours)

    def _is_ours(self, url: str) -> bool:
        parts = urlsplit(url)
        own_port = parts.netloc.endswith(f":{self._port}") and is_loopback(parts.hostname or "")
        return own_port or parts.netloc.lower() == urlsplit(self.origin).netloc

    def __repr__(self) -> str:
        return f"<Provider {self.issuer if self._thread else 'not started'}>"


def _path(given: str | os.PathLike[str] | None) -> str | None:
    if given is None:
        return None
    unchecked: object = given
    name: object = os.fspath(given) if isinstance(unchecked, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name or not encodable(name):
        raise UsageError("store must be the path of a file, or None to keep everything in memory")
    return name
