"""The frame that reports whether a browser still has the session of a login (Session Management 1.0 §3.3, §4).

A frame of a client posts `client_id session_state` to it every few seconds. No script can read the session's cookie, so
the script of this frame sends a request to the server, which finds the session of the cookie.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from doorkey.server.clients.redirect_uris import is_origin_of
from doorkey.server.context import At
from doorkey.server.endpoints.forms import Cookies, refuse_other_origins
from doorkey.server.responses.parameters import form_of
from doorkey.server.responses.responses import NO_STORE
from doorkey.server.storage.effects import FindBrowser, FindClient, FindSession
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
ERROR: Final = "error"

_SCRIPT: Final = """"use strict";
addEventListener("message", async ({ data, origin, source }) => {
  if (source !== parent || typeof data !== "string") return;
  const [client, state, ...more] = data.split(" ");
  let result = "error";
  if (client && state && !more.length) {
    const body = new URLSearchParams({ client_id: client, session_state: state, origin });
    try {
      const response = await fetch(location.pathname, { method: "POST", body });
      if (!response.ok) return;
      result = await response.text();
    } catch {
      return; // the server cannot be reached, so the state is unknown: report nothing
    }
  }
  source.postMessage(result, origin);
});
"""


def session_frame(request: Request, at: At) -> Flow[Response]:
    """Return the frame. It contains nothing about a user, so every origin may load it."""
    yield from ()
    place = urlsplit(at.endpoints.check_session_script).path
    policy = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'"
    headers = (("Content-Type", "text/html;charset=utf-8"), ("Content-Security-Policy", policy), *NO_STORE)
    text = f'<!DOCTYPE html>\n<html lang="en">\n<title>Session</title>\n<script src="{place}"></script>\n</html>\n'
    return Response(200, headers, text.encode())


def session_script(request: Request, at: At) -> Flow[Response]:
    """Return the script of the frame, which caches may keep."""
    yield from ()
    headers = (("Content-Type", "text/javascript;charset=utf-8"), ("Cache-Control", "public, max-age=86400"))
    return Response(200, headers, _SCRIPT.encode())


def check_session(request: Request, at: At, cookies: Cookies) -> Flow[Response]:
    """Respond to the frame: "unchanged" if the browser has the session `session_state`, otherwise "changed".

    The response is "error" if the origin is not one of the client's. Raises `InvalidRequest` for a request of another
    page.
    """
    refuse_other_origins(request, at)
    form = form_of(request)
    client = yield from FindClient(form.get("client_id") or "")
    if client is None or not is_origin_of(form.get("origin") or "", client.redirect_uris):
        return _text_response(ERROR)
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    session = None if session_id is None else (yield from FindSession(session_id))
    return _text_response(UNCHANGED if session is not None and session.id == form.get("session_state") else CHANGED)


def _text_response(text: str) -> Response:
    return Response(200, (("Content-Type", "text/plain;charset=utf-8"), *NO_STORE), text.encode())
