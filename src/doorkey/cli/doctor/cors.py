"""Checks whether scripts of other origins may read the metadata and the keys (CORS, RFC 9700 §2.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from doorkey.cli.doctor.fetching import Fetched
from doorkey.cli.doctor.finding import Finding, info, ok
from doorkey.wire.messages import Request

ORIGIN: Final = "https://doorkey-doctor.invalid"
"""The origin that requests name. It is registered at no server."""
_SECTION: Final = "RFC 9700 §2.6"


def script_request(url: str) -> Request:
    """Return the request that a script of another origin sends for a document.

    The audit sends it as an additional request, because a server may reject an unknown origin.
    """
    return Request("GET", url, (("Accept", "application/json"), ("Origin", ORIGIN)))


def check_cors(outcomes: Mapping[str, Fetched]) -> Iterator[Finding]:
    """Yield the finding about CORS. `outcomes` are the outcomes of `script_request` by the name of the document."""
    closed = [name for name, outcome in outcomes.items() if not _is_readable(outcome)]
    if not closed:
        yield ok("cors", f"scripts of every origin may read {' and '.join(outcomes)} (CORS)", _SECTION)
        return
    yield info(
        "cors_absent",
        f"scripts of an origin that is not registered cannot read {' and '.join(closed)} (CORS)",
        "only clients that run in a browser need that, and a server may allow their origins alone",
        _SECTION,
    )


def _is_readable(outcome: Fetched) -> bool:
    if outcome.response is None or not 200 <= outcome.response.status < 300:
        return False
    named = [value for name, value in outcome.response.headers if name.lower() == "access-control-allow-origin"]
    return named in (["*"], [ORIGIN])
