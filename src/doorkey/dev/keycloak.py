"""The emulation of Keycloak over the server core: its paths, its realms, and its responses if no standard defines
them.

A request and a response are values here. There is no socket, and nothing blocks. `app` serves this over HTTP.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from doorkey.dev.admin import count_users, end_session, refuse_others
from doorkey.dev.browser import (
    ACCOUNT_PATH,
    CHECK_SESSION_PATH,
    CHECK_SESSION_SCRIPT_PATH,
    CONSENT_PATH,
    DEVICE_PATH,
    LOGIN_PATH,
    account_in_browser,
    authorize_in_browser,
    check_session_in_browser,
    consent_in_browser,
    device_in_browser,
    log_in_in_browser,
    log_out_in_browser,
)
from doorkey.dev.client_documents import ClientDocuments
from doorkey.dev.cors import preflight, with_cors
from doorkey.dev.hosts import Hosts
from doorkey.dev.login_buttons import UsersToPick, pickable
from doorkey.errors import InvalidToken, VerificationError
from doorkey.jose.verification import unsafe_claims
from doorkey.server.context import At, Endpoints, RegistrationPolicy
from doorkey.server.ended_sessions import SendLogoutToken
from doorkey.server.endpoints.check_session import session_frame, session_script
from doorkey.server.endpoints.device_authorization import authorize_device
from doorkey.server.endpoints.discovery import discovery
from doorkey.server.endpoints.introspect import introspect
from doorkey.server.endpoints.jwks import jwks
from doorkey.server.endpoints.register import manage, register
from doorkey.server.endpoints.revoke import revoke
from doorkey.server.endpoints.script import script
from doorkey.server.endpoints.token import token
from doorkey.server.endpoints.userinfo import userinfo
from doorkey.server.model import Settings
from doorkey.server.registrations import Client
from doorkey.server.responses.responses import json_response
from doorkey.server.storage.effects import Directory, FindClient, Storage
from doorkey.server.storage.records import Records
from doorkey.server.storage.registered import ListRegistrations
from doorkey.server.tokens.bearer import bearer_token, challenge
from doorkey.server.tokens.keys import KeyRing, RealmKeys, algorithms_of
from doorkey.server.tokens.reading import live_access_token
from doorkey.wire.flow import Effect, Flow, run
from doorkey.wire.messages import Request, Response

SCRIPT_PATH = "/resources/continue.js"
PROTOCOL = "/protocol/openid-connect"
DISCOVERY = "/.well-known/openid-configuration"
REGISTRATION = "/clients-registrations/openid-connect"
ADMIN_REALM = "master"

T = TypeVar("T")
Endpoint: TypeAlias = Callable[[Request, At], Flow[Response]]

_REGISTERED = re.compile(REGISTRATION + "/([A-Za-z0-9-]{1,64})")
_REALM = re.compile(r"/realms/([A-Za-z0-9_-]+)(/.*)?")

_ENDPOINTS: Mapping[tuple[str, str], Endpoint] = {
    ("GET", DISCOVERY): discovery,
    ("GET", f"{PROTOCOL}/certs"): jwks,
    ("POST", f"{PROTOCOL}/token"): token,
    ("POST", f"{PROTOCOL}/token/introspect"): introspect,
    ("POST", f"{PROTOCOL}/revoke"): revoke,
    ("GET", f"{PROTOCOL}/userinfo"): userinfo,
    ("POST", f"{PROTOCOL}/userinfo"): userinfo,
    ("GET", f"{PROTOCOL}/auth"): authorize_in_browser,
    ("POST", f"{PROTOCOL}/auth"): authorize_in_browser,
    ("POST", f"{PROTOCOL}/auth/device"): authorize_device,
    ("GET", DEVICE_PATH): device_in_browser,
    ("POST", DEVICE_PATH): device_in_browser,
    ("POST", LOGIN_PATH): log_in_in_browser,
    ("POST", CONSENT_PATH): consent_in_browser,
    ("GET", ACCOUNT_PATH): account_in_browser,
    ("POST", ACCOUNT_PATH): account_in_browser,
    ("GET", f"{PROTOCOL}/logout"): log_out_in_browser,
    ("POST", f"{PROTOCOL}/logout"): log_out_in_browser,
    ("GET", SCRIPT_PATH): script,
    ("GET", CHECK_SESSION_PATH): session_frame,
    ("POST", CHECK_SESSION_PATH): check_session_in_browser,
    ("GET", CHECK_SESSION_SCRIPT_PATH): session_script,
}

PUBLIC = (DISCOVERY, f"{PROTOCOL}/certs")
FOR_SCRIPTS = (
    *PUBLIC,
    *(f"{PROTOCOL}/{name}" for name in ("token", "token/introspect", "revoke", "userinfo", "auth/device")),
)
"""The endpoints that scripts of other origins may use."""

_ADMIN: tuple[tuple[str, re.Pattern[str], Callable[..., Flow[Response]]], ...] = (
    ("GET", re.compile(r"/admin/realms/([A-Za-z0-9_-]+)/users/count"), count_users),
    ("DELETE", re.compile(r"/admin/realms/([A-Za-z0-9_-]+)/sessions/([A-Za-z0-9_-]{1,100})"), end_session),
)


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm: its settings, its clients and its users."""

    name: str
    settings: Settings
    directory: Directory


class Keycloak:
    """Processes requests for some realms over one store. Thread-safe.

    realms: the realms by name.
    store: the store of all realms.
    clock: returns POSIX seconds.
    hosts: the host names for which requests are accepted.
    registration: the settings for clients that register themselves; None: they cannot.
    documents: the clients whose ID is the URL of their metadata document; None: there are no such clients.
    offers_users: whether its login page has a button for each user.
    """

    def __init__(
        self,
        realms: Mapping[str, Realm],
        store: Records,
        clock: Callable[[], float],
        hosts: Hosts,
        registration: RegistrationPolicy | None = None,
        documents: ClientDocuments | None = None,
        *,
        offers_users: bool = False,
    ) -> None:
        self._registration, self.documents = registration, documents
        self._realms = realms
        self._offers_users = offers_users
        self._store = store
        self._keys = KeyRing(store)
        self._algorithms = {
            name: algorithms_of(realm.settings, realm.directory.clients) for name, realm in realms.items()
        }
        self._clock = clock
        self._to_send: deque[SendLogoutToken] = deque()
        self.hosts = hosts

    def answer(self, request: Request, address: str | None = None) -> Response:
        """Return the response to one request. The URL of the request contains the value of `Host`.

        `address` is the caller's IP address, for the limits on guessing, or None.
        """
        path = urlsplit(request.url).path
        origin, back = self.hosts.origin_of(request), self.hosts.backchannel_origin_of(request)
        if origin is None or back is None:
            return bad_host()
        if path.startswith("/admin/"):
            return self._answer_admin(request, origin, path)
        found = _REALM.fullmatch(path)
        if found is None:
            return json_response({"error": "Unable to find matching target resource method"}, 404)
        realm = self._realms.get(found[1])
        if realm is None:
            return json_response({"error": "Realm does not exist"}, 404)
        public, clients = found[2] in PUBLIC, self._clients_for(request, realm)
        methods = [method for method, path in _ENDPOINTS if path == found[2] and path in FOR_SCRIPTS]
        if methods and (allowed := preflight(request, methods, public=public, clients=clients)) is not None:
            return allowed
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self._registration_endpoint(method, found[2] or "") or _ENDPOINTS.get((method, found[2] or ""))
        if endpoint is None:
            # Keycloak responds 404, and not 405, to another method at the discovery document.
            known = any(path == found[2] != DISCOVERY for _, path in _ENDPOINTS)
            known = known or (self._registration is not None and found[2] == REGISTRATION)
            return _plain_error(405, "Method Not Allowed") if known else _not_found()
        at = self.at(realm, f"{origin}/realms/{realm.name}", address, f"{back}/realms/{realm.name}")
        response = self.run(realm, endpoint(request, at))
        return with_cors(request, response, public=public, clients=clients) if methods else response

    def _clients_for(self, request: Request, realm: Realm) -> Mapping[str, Client]:
        """Return the clients whose origins are allowed for scripts (CORS)."""
        if self._registration is None or request.header("origin") is None:
            return realm.directory.clients
        registered = self.run(realm, iter(ListRegistrations()))
        return {**{one.client_id: one.client for one in registered}, **realm.directory.clients}

    def _registration_endpoint(self, method: str, path: str) -> Endpoint | None:
        if self._registration is None:
            return None
        if (method, path) == ("POST", REGISTRATION):
            return register
        found = _REGISTERED.fullmatch(path)
        if found is None or method not in ("GET", "PUT", "DELETE"):
            return None
        return lambda request, at: manage(request, at, found[1])

    def check_bearer(self, request: Request) -> Response | None:
        """Return None if the request has a valid access token of any realm, otherwise the error response."""
        text = bearer_token(request)
        if text is None:
            return json_response({"error": "invalid_request"}, 401, challenge("echo"))
        try:
            issuer = str(unsafe_claims(text).get("iss"))
        except VerificationError:
            issuer = ""
        # The issuer only chooses the realm whose key must have signed the token. Every claim is checked afterwards.
        realm = self._realms.get(issuer.rpartition("/realms/")[2])
        if realm is not None:
            at = self.at(realm, issuer)
            try:
                self.run(realm, live_access_token(at, text))
            except InvalidToken:
                pass
            else:
                return None
        refusal = challenge("echo", "invalid_token", "the access token is expired, revoked, or from another issuer")
        return json_response({"error": "invalid_token"}, 401, refusal)

    def at(self, realm: Realm, issuer: str, address: str | None = None, reached_at: str | None = None) -> At:
        """Return the circumstances of a request from `address` to `realm`, whose issuer is `issuer`.

        `reached_at` is the URL of the realm for programs; it defaults to the issuer.
        """
        pages, base = issuer + PROTOCOL, (reached_at or issuer) + PROTOCOL
        endpoints = Endpoints(
            authorization=f"{pages}/auth",
            token=f"{base}/token",
            introspection=f"{base}/token/introspect",
            revocation=f"{base}/revoke",
            userinfo=f"{base}/userinfo",
            jwks=f"{base}/certs",
            end_session=f"{pages}/logout",
            account=f"{issuer}{ACCOUNT_PATH}",
            script=f"{issuer}{SCRIPT_PATH}",
            device_authorization=f"{base}/auth/device",
            device=f"{issuer}{DEVICE_PATH}",
            check_session=f"{issuer}{CHECK_SESSION_PATH}",
            check_session_script=f"{issuer}{CHECK_SESSION_SCRIPT_PATH}",
            registration=f"{reached_at or issuer}{REGISTRATION}",
        )
        keys, now = self._keys_of(realm), self._clock()
        return At(issuer, endpoints, realm.settings, keys, now, address, self._registration)

    def at_realm(self, name: str, issuer: str) -> At:
        """Return the circumstances of a token that the realm called `name` issues now, without a request."""
        return self.at(self._realms[name], issuer)

    def run_in(self, name: str, flow: Flow[T]) -> T:
        """Run a flow over the storage of the realm called `name`, at the current time."""
        return self.run(self._realms[name], flow)

    def rotate_keys(self, name: str, *, withdraw: bool) -> None:
        """Rotate the keys of all algorithms of the realm called `name`; `withdraw` removes the earlier keys."""
        for alg in self._algorithms[name]:
            self._keys.rotate(name, alg, withdraw=withdraw)

    def _keys_of(self, realm: Realm) -> RealmKeys:
        return self._keys.of(realm.name, self._algorithms[realm.name], ids=realm.settings.key_ids)

    def run(self, realm: Realm, flow: Flow[T]) -> T:
        """Run a flow over the storage of `realm`, at the current time."""
        storage = Storage(realm.name, realm.directory, self._store, realm.settings, self._clock())

        def perform(effect: Effect[Any]) -> Any:
            if isinstance(effect, SendLogoutToken):
                return self._to_send.append(effect)
            if isinstance(effect, FindClient) and self.documents is not None and self.documents.names(effect.client_id):
                return self.documents.client(effect.client_id)
            if isinstance(effect, UsersToPick):
                return pickable(realm.directory.users) if self._offers_users else {}
            return storage.perform(effect)

        return run(flow, perform)

    def take_logout_tokens(self) -> tuple[SendLogoutToken, ...]:
        """Remove and return the logout tokens that the caller must send now."""
        taken: list[SendLogoutToken] = []
        while self._to_send:
            taken.append(self._to_send.popleft())
        return tuple(taken)

    def _answer_admin(self, request: Request, origin: str, path: str) -> Response:
        administrators = self._realms[ADMIN_REALM]
        at = self.at(administrators, f"{origin}/realms/{ADMIN_REALM}")
        refusal = self.run(administrators, refuse_others(request, at))
        if refusal is not None:
            return refusal
        for method, pattern, endpoint in _ADMIN:
            found = pattern.fullmatch(path)
            if found and request.method == method:
                name, *rest = found.groups()
                realm = self._realms.get(name)
                if realm is None:
                    return json_response({"error": "Realm not found."}, 404)
                return self.run(realm, endpoint(self.at(realm, f"{origin}/realms/{realm.name}"), *rest))
        return _not_found()


def bad_host() -> Response:
    """Return the error response to a request for a host that is not accepted."""
    return json_response({"error": "HTTP 400 Bad Request", "error_description": "unknown Host header"}, 400)


def _not_found() -> Response:
    return _plain_error(404, "Not Found")


def _plain_error(status: int, reason: str) -> Response:
    return json_response({"error": f"HTTP {status} {reason}"}, status)
