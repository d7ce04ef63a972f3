"""The script of the pages, which clicks "Continue" for the user."""

from __future__ import annotations

from doorkey.pages.parts import CONTINUE
from doorkey.server.context import At
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


def script(request: Request, at: At) -> Flow[Response]:
    """Return the script. It contains nothing about a user or a realm, so caches may keep it."""
    yield from ()
    headers = (("Content-Type", "text/javascript;charset=utf-8"), ("Cache-Control", "public, max-age=86400"))
    return Response(200, headers, CONTINUE.encode())
