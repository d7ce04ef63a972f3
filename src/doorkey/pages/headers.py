"""The headers of a page: no cache stores it, no other page shows it in a frame, and it loads only its own parts."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from doorkey.pages.style import style_source
from doorkey.wire.messages import Pairs


def page_headers(*, frames: Iterable[str] = (), script: str | None = None) -> Pairs:
    """Return the headers of a page.

    frames: the URLs that it loads in frames; their origins are allowed.
    script: the URL of the only script that it may load.

    The content security policy has no `form-action`, because browsers also apply it to the redirect after a form, which
    may lead to another site, such as the provider or the client.
    """
    allowed = [style_source()]
    origins = dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in frames)
    if origins:
        allowed.append(f"frame-src {' '.join(origins)}")
    if script is not None:
        allowed.append(f"script-src {script}")
    policy = "; ".join(("default-src 'none'", *allowed, "frame-ancestors 'none'", "base-uri 'none'"))
    return (
        ("Content-Type", "text/html;charset=utf-8"),
        ("Cache-Control", "no-store, must-revalidate, max-age=0"),
        # With "no-referrer" a browser would send our own forms with `Origin: null`
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", policy),
    )
