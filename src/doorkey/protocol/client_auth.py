"""Client authentication at the token endpoint and the other endpoints (RFC 6749 §2.3, RFC 7523 §2.2).

A method is any callable ``(client, method, uri, headers, body) -> (uri, headers, body)``. The built-in methods and
those that a program registers have this signature.
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
from doorkey.wire.parameters import not_in_query, with_query
from doorkey.wire.urls import check_endpoint, http_host_of

_body_bytes, _form_encoded, _header_pairs = unguarded(body_bytes), unguarded(form_encoded), unguarded(header_pairs)


@hides_locals
def client_secret_basic(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Return the request with HTTP Basic. ID and secret are form-encoded, since they may have ``:`` (RFC 6749 §2.3.1).

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

    The result is the new URL, headers and body. Raises `UsageError` for a key in place of a secret.
    """
    return uri, _basic(headers, _encoded(client.client_id), _encoded(_secret_text(client))), body


@hides_locals
def client_secret_basic_unencoded(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Return the request with HTTP Basic, for servers that do not decode ID and secret as RFC 6749 §2.3.1 requires.

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

    The result is the new URL, headers and body. Raises `UsageError` for a client ID with a ``:``, and for a key in
    place of a secret.
    """
    if ":" in client.client_id:
        raise UsageError("a client_id with a ':' needs client_secret_basic, which encodes it")
    return uri, _basic(headers, client.client_id, _secret_text(client)), body


@hides_locals
def client_secret_post(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Return the request with ID and secret as parameters of its body (RFC 6749 §2.3.1).

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

    The result is the new URL, headers and body. Raises `UsageError` for a GET, because a secret does not belong in a
    URL, and for a key in place of a secret.
    """
    if method == "GET":
        raise UsageError("client_secret_post would put the secret into the URL of a GET: use POST")
    return uri, headers, add_parameters(uri, body, client_id=client.client_id, client_secret=_secret_text(client))


@hides_locals
def none(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Return the request with the `client_id` of a public client (RFC 6749 §3.2.1).

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

    The result is the new URL, headers and body.
    """
    if method == "GET":
        return with_query(uri, not_in_query(uri, [("client_id", client.client_id)])), headers, body
    return uri, headers, add_parameters(uri, body, client_id=client.client_id)


_none = unguarded(none)


def anonymous(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Return the request unchanged, because the assertion of its grant identifies the client (RFC 7521 §4.1).

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.
    """
    return uri, headers, body


@hides_locals
def client_secret_jwt(
    client: ClientIdentity, method: str, uri: str, headers: Headers, body: str
) -> Signed | Flow[Signed]:
    """Return the request with an assertion that is signed with the secret (RFC 7523 §2.2; OpenID Connect Core §9).

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

    The result is the new URL, headers and body. The algorithm is the first of HS256, HS384 and HS512 that the server's
    metadata lists, else HS256. Raises `UsageError` for a secret that cannot sign.
    """
    from doorkey.protocol.client_assertion import ClientSecretJWT

    return ClientSecretJWT()(client, method, uri, headers, body)


@hides_locals
def private_key_jwt(
    client: ClientIdentity, method: str, uri: str, headers: Headers, body: str
) -> Signed | Flow[Signed]:
    """Return the request with an assertion that is signed with the private key in `client_secret` (RFC 7523 §2.2).

    client: the client's ID and credential.
    method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

    The result is the new URL, headers and body. The algorithm fits the key. Raises `UsageError` for a key that cannot
    sign.
    """
    from doorkey.protocol.client_assertion import PrivateKeyJWT

    return PrivateKeyJWT()(client, method, uri, headers, body)


@dataclass(frozen=True, slots=True)
class CertificateMethod:
    """The client authenticates by the certificate of its TLS connection; the request has the `client_id` (RFC 8705 §2).

    name: the name of the method in the server's metadata.
    """

    name: str

    @hides_locals
    def __call__(self, client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        """Return the request with the `client_id`."""
        return _none(client, method, uri, headers, body)


tls_client_auth: Final = CertificateMethod("tls_client_auth")
"""A certificate from a certificate authority that the server trusts (RFC 8705 §2.1)."""
self_signed_tls_client_auth: Final = CertificateMethod("self_signed_tls_client_auth")
"""A self-signed certificate that is registered for the client (RFC 8705 §2.2)."""


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
    """Return the client authentication method called `name`: a built-in one, or one that a session has `registered`.

    Raises `UsageError` for an unknown name. The error suggests a similar name.
    """
    known = {**METHODS, **(registered or {})}
    if name not in known:
        can_register = ": register it with register_client_auth_method()"
        hint = did_you_mean(name, known, f": there are {', '.join(known)}" if registered is None else can_register)
        raise UsageError(f"there is no client authentication method {name!r}{hint}")
    return known[name]


def authenticate(request: Request, client: ClientIdentity, method: ClientAuthMethod) -> Flow[Request]:
    """Return `request` with the client authentication, ready to send.

    client: the client's ID and credential.
    method: the client authentication method.

    Raises `UsageError` if the method returns a wrong type or a URL that requests may not be sent to, and the errors of
    the method.
    """
    # No local variable has the body or the client's credentials: an error of the method would show them in a traceback.
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
        raise UsageError("a client authentication method must return (uri, headers, body)") from None
    pairs = _header_pairs(headers, "a client authentication method must return (uri, headers, body), whose headers")
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
        why = "the client_id or client_secret has a lone surrogate, which cannot be encoded"
        raise UsageError(why) from scrubbed(error)
    return with_header(headers, "Authorization", f"Basic {credentials}")


def _secret_text(client: ClientIdentity) -> str:
    """Return the secret as text to send. Raises `UsageError` for a key, which must not be sent to the server."""
    secret = client.client_secret
    if not isinstance(secret, str | bytes) or holds_key(secret):
        raise UsageError(
            "this client authentication method sends the client_secret, which must be text and not a key: use "
            "private_key_jwt, which signs with the key, or give the secret that the server issued"
        )
    return secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret
