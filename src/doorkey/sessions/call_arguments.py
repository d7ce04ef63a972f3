"""The arguments of a call: additional parameters, and options of the HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.wire.parameters import merged, pairs_of, parse_form

if TYPE_CHECKING:
    from doorkey.sources.token_call import CallOptions
    from doorkey.transport.library import Library
    from doorkey.wire.messages import Pairs


def extra_pairs(body: object, extra: Mapping[str, Any]) -> Pairs:
    """Return the parameters of a `body` (form-encoded text or a mapping) and of keyword arguments.

    A parameter that is in both is sent once. An empty scope is omitted (RFC 6749 §3.2, §3.3). Raises `UsageError` if
    the two have different values for a parameter.
    """
    if not body:
        pairs: Pairs = ()
    elif isinstance(body, str | bytes):
        pairs = parse_form(body if isinstance(body, str) else body.decode("utf-8", "replace"))
    elif isinstance(body, Mapping):
        pairs = pairs_of(body)  # pyright: ignore[reportUnknownArgumentType]  # passed in by the user
    else:
        raise UsageError("body is form-encoded text or a mapping")
    return merged(pairs, (pair for pair in pairs_of(extra) if pair != ("scope", "")), "body=")


def call_options(library: Library, extra: dict[str, Any]) -> CallOptions:
    """Remove the options of the HTTP library from `extra`, and return them. Raises `UsageError` for unsafe options."""
    for name in sorted(library.refused_options & extra.keys()):
        if extra[name] is not None and extra[name] is not False:  # None and False request the default behavior
            raise UsageError(
                f"{name} does not apply to requests to an authorization server: "
                "they follow no redirects, keep no cookies and limit the size of the response"
            )
        del extra[name]
    return tuple((name, extra.pop(name)) for name in list(extra) if name in library.call_options)
