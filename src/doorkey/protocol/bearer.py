"""Where an access token goes in a request to an API (RFC 6750 §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.tokens import OAuthToken


def authorization_header(token: OAuthToken) -> str:
    """Return the value of the `Authorization` header that carries `token` (RFC 6750 §2.1).

    Raises `UsageError` for a token that may not be sent as Bearer, being bound to a key (RFC 9449 §7.2), or no access
    token at all (RFC 8693 §2.2.1).
    """
    if token.token_type.lower() != "bearer":
        if token.token_type.upper() == "N_A":
            raise UsageError(
                "a token of type N_A is no access token and is not sent to an API: the exchange brought what its "
                "requested_token_type names; ask for an access token, or present it where such a token is asked for",
                error="unsupported_token_type",
            )
        raise UsageError(
            f"a token of type {token.token_type} is not sent as Bearer: it is bound to a key that this client does not "
            "hold; give the request an auth= of your own that proves the key (DPoP: RFC 9449 §7.1), or ask for a "
            "token of type Bearer",
            error="unsupported_token_type",
        )
    return f"Bearer {token.access_token.reveal()}"


def place(
    token: OAuthToken, placement: str, url: str, headers: Mapping[str, str], body: Any
) -> tuple[str, Mapping[str, str], Any]:
    """Return (url, headers, body) with `token` in the header, in the form body or in the query.

    `body` is form-encoded text or bytes, or None, where the token goes there; otherwise it is passed on untouched.
    placement: "header", "body" or "uri" (RFC 6750 §2).
    url, headers: those of the request.

    Raises `UsageError` for a body that no parameter can be added to.
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
