"""The authorization server of a session: its endpoints, its keys, and their discovery."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doorkey.arguments import text
from doorkey.errors import UsageError
from doorkey.observe.observer import Observer
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata
from doorkey.runtime.forks import ForkSafeLock
from doorkey.sessions.options import SessionOptions
from doorkey.sources.fetched_once.discovery import AuthorizationServer, completed
from doorkey.wire.flow import Flow
from doorkey.wire.urls import origin_of, shown_url

if TYPE_CHECKING:
    from doorkey.sources.fetched_once.keys import KeyCore
    from doorkey.sources.token_call import TokenCall


def endpoint_of(metadata: ServerMetadata, given: str | None, kind: str) -> str | None:
    """Return the endpoint of this `kind` ("token", "revocation", …): the `given` URL, else that of the metadata.

    A session that has an issuer sends requests to no other server. So `given` must be an endpoint in the metadata (or
    in its `mtls_endpoint_aliases`, RFC 8705 §5). If the metadata has no endpoint of this kind, a URL at the issuer's
    origin is accepted. Raises `UsageError` for any other URL.
    """
    own: str | None = getattr(metadata, f"{kind}_endpoint")
    if given is None or not text(given, f"the {kind} endpoint's url"):
        return own
    names_it = given in [getattr(metadata, name) for name in ENDPOINTS] or metadata.is_alias(given)
    if metadata.issuer is None or names_it:
        return given
    if own is None and origin_of(given) == origin_of(metadata.issuer):
        return given
    raise UsageError(
        f"this session is for {shown_url(metadata.issuer)}, and {shown_url(given)} is not an endpoint of that "
        f"issuer: construct another session for another server, or this session with {kind}_endpoint="
    )


def missing_endpoint(metadata: ServerMetadata, kind: str) -> UsageError:
    """Return the error for an endpoint of this `kind` that neither the caller nor the session's `metadata` names."""
    if metadata.issuer is None:
        cause, other = f"the {kind.replace('_', ' ')} endpoint is unknown", " or issuer="
    else:
        cause, other = f"the metadata of {shown_url(metadata.issuer)} has no {kind}_endpoint", ""
    return UsageError(f"{cause}: give its url, or construct the session with {kind}_endpoint={other}")


def server_of(issuer: str, options: SessionOptions) -> AuthorizationServer:
    """Return the server of a session's `issuer`: the shared server of an `Issuer`, else a new one."""
    openid, known = options.openid, ServerMetadata(http_hosts=options.metadata.http_hosts)
    if openid.shared is not None:
        return openid.shared._server
    document, tenants = openid.server_metadata_url, openid.tenant_issuer
    if document is None and tenants is None:
        return AuthorizationServer(issuer, known)
    from doorkey.sources.fetched_once.described_server import DescribedServer

    return DescribedServer(issuer, known, document=document, template=None if tenants is None else tenants.template)


class KnownServer:
    """The authorization server of a session, and the endpoint that issued its token.

    `origin` is the session from which this one is derived. Both share the fetched metadata and keys.
    """

    def __init__(self, options: SessionOptions, origin: KnownServer | None = None) -> None:
        self.options = options
        self._origin = origin
        self.last_call: TokenCall | None = None
        self.issued_by: str | None = None
        self._changing = ForkSafeLock()
        self._issuer: AuthorizationServer | None = None
        self._server: AuthorizationServer | None = None
        self._keys: KeyCore | None = None
        self._described: object = None
        self._last_completed: tuple[ServerMetadata, ServerMetadata, ServerMetadata] | None = None
        self.configure()

    def configure(self) -> None:
        """Recreate the objects that depend on the client ID and the issuer."""
        options, metadata = self.options, self.options.metadata
        self.observer = Observer(options.client_id, self._name, options.on_event, options.timer)
        openid = replace(options.openid, id_token_leeway=0.0)  # does not depend on the server
        described = (metadata.issuer, metadata.http_hosts, metadata.jwks_uri, openid)
        if described != self._described:
            if self._origin is not None and self._origin._described != described:
                self._origin = None
            self._described, self._jwks_uri = described, metadata.jwks_uri
            self._issuer = self._server = self._keys = None
        if metadata.issuer is None or (options.is_described and metadata.token_endpoint is not None):
            self._issuer = None
        elif self._issuer is None:
            self._issuer = self._own_server(metadata.issuer)

    def _own_server(self, issuer: str) -> AuthorizationServer:
        with self._changing:
            if self._server is None:
                origin = self._origin
                self._server = server_of(issuer, self.options) if origin is None else origin._own_server(issuer)
            return self._server

    def keys(self) -> KeyCore:
        """Return the keys of the session's issuer, which an `Issuer` or an origin session may share."""
        with self._changing:
            if self._keys is None:
                shared, issuer = self.options.openid.shared, self.options.metadata.issuer
                if self._origin is not None:
                    self._keys = self._origin.keys()
                elif shared is not None:
                    self._keys = shared._core.keys
                else:
                    from doorkey.sources.fetched_once.keys import KeyCore

                    server = None if issuer is None else self._own_server(issuer)
                    self._keys = KeyCore(server, jwks_uri=self._jwks_uri)
            return self._keys

    def retry_now(self) -> None:
        """End the pauses after a failed discovery and after a failed fetch of keys."""
        with self._changing:
            server, keys = self._server or self._issuer, self._keys
        if server is not None:
            server.retry_now()
        if keys is not None:
            keys.retry_now()

    def provider(self) -> Flow[ServerMetadata]:
        """Return the metadata needed to verify ID tokens: as given, else discovered. Raises the errors of discovery."""
        metadata = self.options.metadata
        if metadata.jwks_uri is not None or metadata.issuer is None:
            return metadata
        if self.may_discover():
            return (yield from self.discover())
        with self._changing:
            server = self._own_server(metadata.issuer)
        return completed(metadata, (yield from server.naming("jwks_uri", self.options.clock)))

    def may_discover(self) -> bool:
        """Return whether the server's endpoints can be discovered from its issuer and are not known yet."""
        if self._issuer is None:
            return False
        known = self._issuer.known_metadata
        return known is None or known.token_endpoint is not None

    def needs_discovery(self, kind: str) -> bool:
        """Return whether the endpoint of this `kind` must be discovered."""
        return getattr(self.options.metadata, f"{kind}_endpoint") is None and self.may_discover()

    def discover(self) -> Flow[ServerMetadata]:
        """Return the server's metadata, discovered unless it was given or discovered before.

        Raises `UsageError` without an issuer and a token endpoint, and the errors of `fetch_metadata`.
        """
        metadata, issuer = self.options.metadata, self._issuer
        if issuer is None:
            if metadata.token_endpoint is None:
                raise UsageError("there is nothing to discover: construct the session with issuer=")
            return metadata
        with self.observer.preparing():
            found = yield from issuer.metadata(self.options.clock)
        self._complete(issuer, found)
        return self.options.metadata

    def _complete(self, issuer: AuthorizationServer, found: ServerMetadata) -> None:
        """Add the discovered metadata `found` to the session's, unless the issuer was changed in the meantime."""
        with self._changing:
            if self._issuer is issuer:
                metadata = self._completed(found)
                self.options = replace(self.options, metadata=metadata, is_described=True)
                if found.token_endpoint is not None:
                    self._issuer = None

    def _completed(self, found: ServerMetadata) -> ServerMetadata:
        """Return the session's metadata completed by `found`. Sessions with the same origin share the result."""
        origin, given = self if self._origin is None else self._origin, self.options.metadata
        last = origin._last_completed
        if last is None or last[0] is not given or last[1] is not found:
            last = origin._last_completed = (given, found, completed(given, found))
        return last[2]

    def located(self, kind: str, given: str | None = None) -> Flow[str | None]:
        """Return the endpoint of this `kind`: the `given` URL, else the session's, discovered if necessary.

        None if the server has no such endpoint. Raises `UsageError` for an endpoint of another issuer.
        """
        if not given and self.needs_discovery(kind):
            yield from self.discover()
        return endpoint_of(self.options.metadata, given, kind)

    def token_endpoint(self, given: str | None = None) -> Flow[str]:
        """Return the token endpoint: the `given` URL, else the session's, else that of the last token request.

        Raises `UsageError` if there is none, and for an endpoint of another issuer.
        """
        endpoint = (yield from self.located("token", given)) or (self.last_call.endpoint if self.last_call else None)
        if endpoint is None:
            raise missing_endpoint(self.options.metadata, "token")
        return endpoint

    def renewal_endpoint(self) -> Flow[str]:
        """Return the only endpoint to which the session's refresh token may be sent: the endpoint that issued it."""
        return self.issued_by or (yield from self.token_endpoint())

    def known_token_endpoint(self, given: str | None = None) -> str | None:
        """Return the token endpoint as `token_endpoint` does, or None if it is not known without discovery."""
        metadata = self.options.metadata
        known = metadata.token_endpoint if given is None else endpoint_of(metadata, given, "token")
        return known or (self.last_call.endpoint if self.last_call else None)

    def _name(self) -> str | None:
        return self.options.metadata.issuer or self.known_token_endpoint()
