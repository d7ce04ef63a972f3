"""Client authentication at the token endpoint and the other endpoints (RFC 6749 §2.3, RFC 7523 §2.2).

A method is any callable ``(client, method, uri, headers, body) -> (uri, headers, body)``: the shape that users'
programs register. Our own methods are such callables too, so there is one way through here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from doorkey.arguments import did_you_mean
from doorkey.errors import UsageError, scrubbed
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity, Headers, Signed
from doorkey.protocol.client_parameters import add_parameters
from doorkey.values import hides_locals, unguarded
from doorkey.wire.flow import Flow, maybe_await
from doorkey.wire.key_material import holds_key
from doorkey.wire.messages import FORM, Request, body_bytes, form_encoded, header_pairs, with_header
from doorkey.wire.parameters import beside_query, with_query
from doorkey.wire.urls import check_endpoint, http_host_of

_body_bytes, _form_encoded, _header_pairs = unguarded(body_bytes), unguarded(form_encoded), unguarded(header_pairs)


@hides_locals
def client_secret_basic(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """HTTP Basic with id and secret form-encoded first, so that ``:`` and ``%`` survive (RFC 6749 §2.3.1).

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body.
    """
    return uri, _basic(headers, _encoded(client.client_id), _encoded(_secret_text(client))), body


@hides_locals
def client_secret_basic_unencoded(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """HTTP Basic as servers expect it that skipped the encoding of RFC 6749 §2.3.1. Not for id with a ``:``.

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body. Raises `UsageError` for a client
    ID with a ``:``.
    """
    if ":" in client.client_id:
        raise UsageError("a client_id with a ':' needs client_secret_basic, which encodes it")
    return uri, _basic(headers, client.client_id, _secret_text(client)), body


@hides_locals
def client_secret_post(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Id and secret as parameters (RFC 6749 §2.3.1). Refused for GET: a secret does not belong in a URL.

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body. Raises `UsageError` for GET.
    """
    if method == "GET":
        raise UsageError("client_secret_post would put the secret into the URL of a GET: use POST")
    return uri, headers, add_parameters(uri, body, client_id=client.client_id, client_secret=_secret_text(client))


@hides_locals
def none(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """A public client only says its name (RFC 6749 §3.2.1).

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body.
    """
    if method == "GET":
        return with_query(uri, beside_query(uri, [("client_id", client.client_id)])), headers, body
    return uri, headers, add_parameters(uri, body, client_id=client.client_id)


_none = unguarded(none)


def anonymous(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Nothing is said of a client: the assertion of the grant speaks for it (RFC 7521 §4.1).

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body.
    """
    return uri, headers, body


@hides_locals
def client_secret_jwt(
    client: ClientIdentity, method: str, uri: str, headers: Headers, body: str
) -> Signed | Flow[Signed]:
    """An assertion signed with the secret, HS256 (RFC 7523 §2.2; OpenID Connect Core §9).

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body. Raises `UsageError` for a secret
    that cannot sign.
    """
    from doorkey.protocol.client_assertion import ClientSecretJWT

    return ClientSecretJWT()(client, method, uri, headers, body)


@hides_locals
def private_key_jwt(
    client: ClientIdentity, method: str, uri: str, headers: Headers, body: str
) -> Signed | Flow[Signed]:
    """An assertion signed with the private key given as `client_secret`, by the algorithm that fits (RFC 7523 §2.2).

    client: the client's ID and credential.

    The other arguments are the request's. The result is its new URL, headers and body. Raises `UsageError` for a key
    that cannot sign.
    """
    from doorkey.protocol.client_assertion import PrivateKeyJWT

    return PrivateKeyJWT()(client, method, uri, headers, body)


@dataclass(frozen=True, slots=True)
class CertificateMethod:
    """The client authenticates by the certificate of its TLS connection, and the request names it (RFC 8705 §2)."""

    name: str

    @hides_locals
    def __call__(self, client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        """Return the request with the `client_id`."""
        return _none(client, method, uri, headers, body)


tls_client_auth: Final = CertificateMethod("tls_client_auth")
"""By a certificate of a certificate authority that the server trusts (RFC 8705 §2.1)."""
self_signed_tls_client_auth: Final = CertificateMethod("self_signed_tls_client_auth")
"""By a certificate that is registered for the client (RFC 8705 §2.2)."""


METHODS: Final[Mapping[str, ClientAuthMethod]] = {
    "client_secret_basic": client_secret_basic,
    "client_secret_basic_unencoded": client_secret_basic_unencoded,
    "client_secret_post": client_secret_post,
    "client_secret_jwt": client_secret_jwt,
    "private_key_jwt": private_key_jwt,
    "tls_client_auth": tls_client_auth,
    "self_signed_tls_client_auth": self_signed_tls_client_auth,
    "none": none,
    "anonymous": anonymous,
}


def auth_method_named(name: str, registered: Mapping[str, ClientAuthMethod] | None = None) -> ClientAuthMethod:
    """Return the client authentication method called `name`: one of ours, or of those that a session has `registered`.

    Raises `UsageError` with the nearest known name.
    """
    known = {**METHODS, **(registered or {})}
    if name not in known:
        can_register = ": register it with register_client_auth_method()"
        hint = did_you_mean(name, known, f": there are {', '.join(known)}" if registered is None else can_register)
        raise UsageError(f"there is no client authentication method {name!r}{hint}")
    return known[name]


def authenticate(request: Request, client: ClientIdentity, method: ClientAuthMethod) -> Flow[Request]:
    """Return `request` with the client's proof in it, ready to leave.

    client: its ID and credential.
    method: the client authentication method.

    Raises `UsageError` when the method returned something else, or a URL that may not be asked.
    """
    # No local variable holds the body, nor the header of the client's proof: the method may raise an error of its own.
    return _signed(
        request,
        (
            yield from maybe_await(
                method(
                    client,
                    request.method,
                    request.url,
                    dict(request.headers),
                    request.content.decode("utf-8", "surrogateescape"),
                )
            )
        ),
    )


@hides_locals
def _signed(request: Request, signed: Any) -> Request:
    try:
        url, headers, new_body = signed
    except (TypeError, ValueError):
        raise UsageError("a client authentication method returns (uri, headers, body)") from None
    pairs = _header_pairs(headers, "a client authentication method returns (uri, headers, body), whose headers")
    content = _body_bytes(new_body, "the body that a client authentication method returns")
    # The endpoint was checked when the request was built.
    unchanged = url == request.url
    what = "URL that a client authentication method returns"
    checked = request.url if unchanged else check_endpoint(str(url), what, http_host_of(request.url))
    authenticated = replace(request, url=checked, headers=pairs, form=(), body=content)
    if content and authenticated.header("content-type") is None:
        return authenticated.with_header("Content-Type", FORM)
    return authenticated


def _encoded(text: str) -> str:
    """Return `text` form-encoded by itself."""
    return _form_encoded([(text, "")])[:-1]


def _basic(headers: Headers, user: str, password: str) -> Mapping[str, str]:
    try:
        credentials = b64encode(f"{user}:{password}".encode()).decode("ascii")
    except UnicodeEncodeError as error:
        why = "the client_id or client_secret holds a lone surrogate, which cannot be encoded"
        raise UsageError(why) from scrubbed(error)
    return with_header(headers, "Authorization", f"Basic {credentials}")


def _secret_text(client: ClientIdentity) -> str:
    """Return the secret as it is sent. Raises `UsageError` for a key, which never leaves the program."""
    secret = client.client_secret
    if not isinstance(secret, str | bytes) or holds_key(secret):
        raise UsageError(
            "this client authentication method sends the client_secret, and needs one that is text, not a key: use "
            "private_key_jwt, which signs with the key, or give the secret that the server issued"
        )
    return secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret
