"""Reads the form of a callback with ``response_mode=form_post``, up to a size limit and without a form parser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect

from doorkey.errors import VerificationError
from doorkey.protocol.authorization import MAX_CALLBACK

if TYPE_CHECKING:
    from starlette.requests import Request

_TOO_LONG = f"is longer than {MAX_CALLBACK} bytes"
_MAX_FIELDS = 100


async def posted_form(request: Request) -> Mapping[str, Any]:
    """Return the posted form of a request (OAuth 2.0 Form Post Response Mode §2).

    The program may read the form or the body before or after this call.

    Raises `VerificationError` for a body that is too long, incomplete or not a form.
    """
    try:
        body = await _body(request)
    except RuntimeError:  # the program has already read the form, which Starlette keeps
        return await request.form()
    except ClientDisconnect:
        failed = VerificationError("callback", "is incomplete: the browser closed the connection")
    else:
        try:
            return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            failed = VerificationError("callback", "is not a form, or has too many parameters")
    raise failed


async def _body(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) <= len(
        str(MAX_CALLBACK)
    ):  # so it is bounded; the parameters are counted later
        return await request.body()
    if length:
        raise VerificationError("callback", _TOO_LONG)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_CALLBACK:
            raise VerificationError("callback", _TOO_LONG)
    return body
