"""Requests to the logout endpoint: of a browser, and with a form."""

from urllib.parse import urlencode

from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.logout import ConfirmLogout, LoggedOut, log_out
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request, Response
from tests.server.world import ENDPOINTS, World


def visit(world: World, cookies: Cookies | None = None, **parameters: str) -> Response | ConfirmLogout | LoggedOut:
    request = Request("GET", f"{ENDPOINTS.end_session}?{urlencode(parameters)}")
    return run(log_out(request, world.at, cookies or Cookies()), world.perform)


def post(world: World, cookies: Cookies | None = None, **form: str) -> Response | ConfirmLogout | LoggedOut:
    request = Request("POST", ENDPOINTS.end_session, (("Content-Type", FORM),), tuple(form.items()))
    return run(log_out(request, world.at, cookies or Cookies()), world.perform)
