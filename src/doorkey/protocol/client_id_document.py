"""A client ID that is the URL of the client's metadata document (draft-ietf-oauth-client-id-metadata-document).

Such a client is not registered. The server fetches the document when a request has this client ID. The document proves
which redirect URIs belong to the party that controls the URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.errors import InvalidResponse, UsageError, VerificationError, printable
from doorkey.wire.error_context import names_exchange
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint, is_loopback

MAX_DOCUMENT: Final = 5 * 1024
"""The largest document, in bytes (§4.2 of the draft)."""
MAX_CLIENT_ID: Final = 1024

_DOTS: Final = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)
_SECRETS: Final = ("client_secret", "client_secret_expires_at")
_SHARED: Final = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})


def is_document_url(client_id: str, *, at_loopback: bool = False) -> bool:
    """Return whether `client_id` is the URL of a client metadata document (§3 of the draft).

    It must be an https URL with a path, and without a user name, a fragment and dot segments.

    at_loopback: True to accept an http URL at loopback too, for development.
    """
    if not client_id.startswith(("https://", "http://")) or len(client_id) > MAX_CLIENT_ID:
        return False
    try:
        parts = urlsplit(check_endpoint(client_id, "client_id"))
    except UsageError:
        return False
    if parts.scheme == "http" and not (at_loopback and is_loopback(parts.hostname or "")):
        return False
    return parts.path not in ("", "/") and _DOTS.search(parts.path) is None


def document_request(client_id: str) -> Request:
    """Return the request for the document at `client_id`, a URL that `is_document_url` accepts."""
    return Request("GET", client_id, (("Accept", "application/json"),))


@names_exchange
def parse_document(response: Response, client_id: str) -> Mapping[str, Any]:
    """Return the metadata in the document of the client `client_id` (§4.1 of the draft).

    Raises `InvalidResponse` for a response that is not a document, and for a document with a secret, which everyone
    could read. Raises `VerificationError` for the document of another client.
    """
    members = json_answer(response, "client metadata document")
    if response.media_type != "application/json" and not response.media_type.endswith("+json"):
        reason = "the client metadata document is not application/json"
        raise InvalidResponse("media_type", reason, status=response.status)
    if members.get("client_id") != client_id:
        shown = printable(str(members.get("client_id")), 80)
        raise VerificationError("client_id", f"of the client metadata document is {shown}", expected=client_id)
    for name in _SECRETS:
        if name in members:
            reason = f"the client metadata document has {name}, which everyone can read"
            raise InvalidResponse("secret", reason, status=response.status)
    if members.get("token_endpoint_auth_method") in _SHARED:
        reason = (
            "the client of a metadata document has no secret: its token_endpoint_auth_method is none or private_key_jwt"
        )
        raise InvalidResponse("secret", reason, status=response.status)
    return members
