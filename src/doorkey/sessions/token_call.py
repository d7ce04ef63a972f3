"""The arguments of a call: further parameters, and options of the HTTP library."""

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

    What both say is said once, and an empty scope is none (RFC 6749 §3.2, §3.3). Raises `UsageError` where they
    disagree.
    """
    if not body:
        pairs: Pairs = ()
    elif isinstance(body, str | bytes):
        pairs = parse_form(body if isinstance(body, str) else body.decode("utf-8", "replace"))
    elif isinstance(body, Mapping):
        pairs = pairs_of(body)  # pyright: ignore[reportUnknownArgumentType]  # the user's own
    else:
        raise UsageError("body is form-encoded text or a mapping")
    return merged(pairs, (pair for pair in pairs_of(extra) if pair != ("scope", "")), "body=")


def call_options(library: Library, extra: dict[str, Any]) -> CallOptions:
    """Take the HTTP library's own options out of `extra` and return them. Raises `UsageError` for unsafe ones."""
    for name in sorted(library.refused_options & extra.keys()):
        if extra[name] is not None and extra[name] is not False:  # else it asks for what happens anyway
            raise UsageError(
                f"{name} does not apply to the exchange with an authorization server: "
                "it follows no redirects, keeps no cookies and is read within bounds"
            )
        del extra[name]
    return tuple((name, extra.pop(name)) for name in list(extra) if name in library.call_options)
