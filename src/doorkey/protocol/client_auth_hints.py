"""Hints for a rejected client, about values in the request that often differ from the server's expectation."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

from doorkey.errors import InvalidClient, InvalidResponse, ServerError, printable
from doorkey.values import Secret
from doorkey.wire.messages import Request, form_encoded
from doorkey.wire.parameters import parse_form

_REJECTED: Final = frozenset({401, 403})
_CERTIFICATE: Final = (
    "the server expects the client's certificate in the TLS connection (RFC 8705): does the HTTP client have the "
    "certificate that is registered for this client?"
)
_LONGEST: Final = 200
"""The largest number of characters of an audience in a message."""


@contextmanager
def explain_rejection(request: Request, client_id: str, credential: object) -> Generator[None]:
    """Add to an error of the block the likely reason why the server rejected the client of `request`.

    request: the request whose response caused the error.
    client_id, credential: the ID and the credential of the client.
    """
    try:
        yield
    except (ServerError, InvalidResponse) as error:
        if isinstance(error, InvalidClient) or error.status in _REJECTED:
            hint = (
                _about_the_audience(request)
                or _about_no_secret(request, credential)
                or _about_the_encoding(request, client_id, credential)
            )
            certificate = _CERTIFICATE if request.needs_certificate else None
            error.description = "; ".join(text for text in (error.description, hint, certificate) if text)
        raise


def _about_the_audience(request: Request) -> str | None:
    """Return a hint with the audience of the client assertion in `request`; None without an assertion (RFC 7523 §3)."""
    assertion = _in_body(request).get("client_assertion")
    if assertion is None:
        return None
    audience: Any = None
    with suppress(ValueError, IndexError, AttributeError):
        audience = json.loads(urlsafe_b64decode(assertion.split(".")[1] + "===")).get("aud")
    return (
        f"the client assertion was sent for the audience {printable(str(audience), _LONGEST)}: if this server expects "
        "another audience, often its token endpoint, give it as PrivateKeyJWT(audience=…) or "
        "ClientSecretJWT(audience=…) in token_endpoint_auth_method= (sessions) or auth_methods= (credentials)"
    )


def _about_no_secret(request: Request, credential: object) -> str | None:
    """Return a hint if the client secret is empty, or if `request` has no client authentication at all."""
    secret = credential.reveal() if isinstance(credential, Secret) else credential
    if secret == "":
        return "the client secret is empty: does the variable or file exist from which the program reads it?"
    if secret is None and not request.needs_certificate and request.header("Authorization") is None:
        return "the request had no client secret: give it, unless the client is registered as a public client"
    return None


def _in_body(request: Request) -> dict[str, str]:
    return dict(parse_form(request.content.decode("ascii", "replace")))


def _about_the_encoding(request: Request, client_id: str, credential: object) -> str | None:
    """Return a hint if form-encoding has changed the client's ID or secret in the Basic header of `request`."""
    scheme, _, sent = (request.header("Authorization") or "").partition(" ")
    if scheme != "Basic":
        return None
    secret = credential.reveal() if isinstance(credential, Secret) else credential
    encoded = ":".join(form_encoded([(str(text), "")])[:-1] for text in (client_id, secret))
    if encoded == f"{client_id}:{secret}" or b64decode(sent) != encoded.encode():
        return None
    return (
        "client_secret_basic form-encodes the client_id and the client_secret (RFC 6749 §2.3.1), which has changed one "
        "of them: if this server does not decode them, use client_secret_basic_unencoded or client_secret_post"
    )
