"""The place of an access token in a request to an API (RFC 6750 §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.tokens import OAuthToken


def authorization_header(token: OAuthToken) -> str:
    """Return the value of the `Authorization` header with `token` (RFC 6750 §2.1).

    Raises `UsageError` for a token that is bound to a key, which must not be sent as Bearer (RFC 9449 §7.2), and for
    one that is not an access token (RFC 8693 §2.2.1).
    """
    if token.token_type.lower() != "bearer":
        if token.token_type.upper() == "N_A":
            raise UsageError(
                "a token of type N_A is not an access token, so it is not sent to an API: it has the "
                "requested_token_type of the token exchange. Request an access token to call an API",
                error="unsupported_token_type",
            )
        raise UsageError(
            f"a token of type {token.token_type} is not sent as Bearer: it is bound to a key that this client does not "
            "have. Give the request an auth= of your own that proves the key (DPoP: RFC 9449 §7.1), or request a "
            "token of type Bearer",
            error="unsupported_token_type",
        )
    return f"Bearer {token.access_token.reveal()}"


def place(
    token: OAuthToken, placement: str, url: str, headers: Mapping[str, str], body: Any
) -> tuple[str, Mapping[str, str], Any]:
    """Return (url, headers, body) of a request with `token` in a header, in the form body or in the query.

    placement: "header", "body" or "uri" (RFC 6750 §2).
    url, headers: the URL and the headers of the request.
    body: the body of the request. For the placement "body" it must be form-encoded text or bytes, or None; otherwise it
        is returned unchanged.

    Raises `UsageError` for another body with the placement "body", and the errors of `authorization_header`.
    """
    from doorkey.wire.messages import FORM, form_encoded, with_header
    from doorkey.wire.parameters import with_query

    header = authorization_header(token)
    pair = ("access_token", token.access_token.reveal())
    if placement == "uri":
        return with_query(url, [pair]), headers, body
    if placement == "header":
        return url, with_header(headers, "Authorization", header), body
    media_type = next((value for name, value in headers.items() if name.lower() == "content-type"), FORM)
    if not (body is None or isinstance(body, str | bytes)) or media_type.partition(";")[0].strip().lower() != FORM:
        raise UsageError("token_placement='body' needs a form-encoded body that is not streamed (RFC 6750 §2.2)")
    text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body or ""
    added = "&".join(part for part in (text, form_encoded([pair])) if part)
    return url, with_header(headers, "Content-Type", FORM), added
