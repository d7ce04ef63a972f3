"""The content of a record: a token as JSON, with a format number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from doorkey.errors import RecordError, UsageError
from doorkey.tokens import OAuthToken
from doorkey.values import RedactedBytes, hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

__all__: list[str] = []

FORMAT: Final = 1
MAX_DEPTH: Final = 40
"""A token response may be 32 levels deep, and the envelope adds levels."""


@hides_locals
def pack(token: OAuthToken, metadata: Mapping[str, Any] | None = None) -> bytes:
    """Return the bytes to commit for `token` and its `metadata` (JSON values). They contain the token's secrets.

    Raises `UsageError` if a member of the token or of the metadata cannot be written as JSON.
    """
    content: dict[str, Any] = {"format": FORMAT, "token": token.to_dict()}
    if metadata:
        content["metadata"] = dict(metadata)
    try:
        data = json.dumps(content, allow_nan=False, separators=(",", ":")).encode()
        parse_object(data, max_depth=MAX_DEPTH)  # an unreadable record must not replace a readable one
    except (TypeError, ValueError, RecursionError, JSONProblem):
        raise UsageError("a stored token consists of JSON values: text, finite numbers, lists, mappings") from None
    return RedactedBytes(data)


@hides_locals
def open_record(data: bytes) -> tuple[OAuthToken, dict[str, Any]]:
    """Return the token and the metadata in a record's `data`.

    Raises `RecordError` if the data is truncated, was not written by doorkey, or was written by a newer version of it.
    """
    try:
        content = parse_object(data, max_depth=MAX_DEPTH)
    except JSONProblem as problem:
        raise RecordError(f"does not hold a token: {problem.problem}") from None
    number: Any = content.get("format")
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise RecordError("does not hold a token: it has no format number")
    if number > FORMAT:
        raise RecordError("was written by a newer version of doorkey", expected=f"format {FORMAT}")
    members: Any = content.get("token")
    metadata: Any = content.get("metadata", {})
    if not isinstance(members, dict) or not isinstance(metadata, dict):
        raise RecordError("does not hold a token: a member has the wrong type")
    try:
        # now=0: a token that has `expires_in` but no `expires_at` counts as expired
        token = OAuthToken.from_mapping(cast("dict[str, Any]", members), now=0.0)
    except UsageError:
        raise RecordError("does not hold a token that could be sent") from None
    return token, cast("dict[str, Any]", metadata)
