"""The HTTP library's own error as the cause of ours, without what it repeats of a request that holds a secret."""

from __future__ import annotations

from doorkey.errors import TransportError


def caused_by(error: Exception, failure: TransportError, url: str) -> TransportError:
    """Return `failure` with `error` as its cause.

    Where `url` has a query, which may hold the grant or the client's secret, another error of the same kind stands
    there: texts and attributes of the libraries' repeat URLs. Raise it outside of the `except` block, which would add
    the first one again, as its context.
    """
    failure.__cause__ = _speechless(error) if "?" in url else error
    return failure


def _speechless(error: Exception) -> Exception:
    text = "what it said is left out: it may repeat the query of a URL, which may hold a secret"
    try:
        return type(error)(text)
    except Exception:  # noqa: BLE001  # whatever this kind wants to be made of
        return OSError(f"{type(error).__name__}: {text}")
