"""A call of `doorkey curl`: the request, its redirects, one retry after a renewal, and the output of the response."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from doorkey.cli.accounts import login_command
from doorkey.cli.api.explanation import explained
from doorkey.cli.api.request import APIRequest, is_redirect
from doorkey.cli.api.sending import Timeline, sent
from doorkey.cli.api.terminal_body import TerminalBody
from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.output_file import output_file
from doorkey.cli.terminal import note, waiting
from doorkey.cli.tokens import current_token
from doorkey.errors import OAuthError, printable
from doorkey.protocol.bearer import authorization_header
from doorkey.protocol.challenge import is_invalid_token
from doorkey.wire.urls import origin_shown

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account, Accounts
    from doorkey.tokens import OAuthToken

__all__: list[str] = []

MAX_REDIRECTS: Final = 10
_TEXT: Final = ("text/", "application/json", "application/xml", "application/javascript", "application/problem+json")


class Display:
    """The output of a response: to a terminal, a file or a pipe.

    output: the file for the body; None: stdout.
    include: print the status and the headers before the body.
    silent: do not show the timing.
    """

    def __init__(self, output: str | None, *, include: bool, silent: bool) -> None:
        self._output, self._include, self._silent = output, include, silent

    def show(self, response: Any, timeline: Timeline) -> None:
        """Write the response as it arrives, then its timing. Raises `CommandError` if it cannot be written."""
        with ExitStack() as stack:
            if self._output is None:
                self._check_for_terminal(response)
                sink: Any = TerminalBody(sys.stdout) if sys.stdout.isatty() else sys.stdout.buffer
            else:
                sink = stack.enter_context(output_file(self._output))
                stack.enter_context(waiting(f"receiving {printable(self._output, 80)}"))
            if self._include:
                sys.stdout.write(_head(response))
                sys.stdout.flush()
            for chunk in response.iter_raw():
                sink.write(chunk)
            sink.flush()
        timeline.mark("end")
        if not self._silent:
            self._show_timing(response, timeline)

    def _check_for_terminal(self, response: Any) -> None:
        kind = response.headers.get("content-type", "text/plain").lower()
        if sys.stdout.isatty() and not (kind.startswith(_TEXT) or kind.split(";")[0].endswith(("+json", "+xml"))):
            raise CommandError(
                f"the body is {printable(kind, 80)}, which a terminal does not show: write it to a file with -o FILE",
                ExitStatus.USAGE,
            )

    def _show_timing(self, response: Any, timeline: Timeline) -> None:
        steps = "  ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in timeline.durations().items())
        if self._output is None and sys.stdout.isatty():
            note("")  # a body often ends without a line break
        note(f"{response.status_code} {printable(response.reason_phrase, 80)}  {steps}")


def _head(response: Any) -> str:
    lines = [f"{response.http_version} {response.status_code} {response.reason_phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.multi_items()]
    return "".join(f"{printable(line, 8192)}\n" for line in [*lines, ""])


class Call:
    """A call to an API with the token of `account`.

    timeout: seconds for the connection, and between two parts of the response.
    follows: follow redirects within the origin.
    """

    def __init__(self, accounts: Accounts, account: Account, *, timeout: float, follows: bool) -> None:
        self._accounts, self._account = accounts, account
        self._timeout, self._follows = timeout, follows
        self._renewed = False

    def run(self, request: APIRequest, display: Display) -> int:
        """Send the request, show the response, and return the exit status."""
        token = current_token(self._accounts, self._account)
        redirects = 0
        while True:
            timeline = Timeline(time.perf_counter)
            with ExitStack() as stack:
                with waiting(f"waiting for {origin_shown(request.url)}"):
                    response = stack.enter_context(sent(request, authorization_header(token), timeline, self._timeout))
                newer = self._instead_of(token, response)
                if newer is not None:
                    token = newer
                    continue
                location = response.headers.get("location")
                if self._follows and location and is_redirect(response.status_code):
                    redirects += 1
                    if redirects > MAX_REDIRECTS:
                        raise CommandError(f"the API redirects more than {MAX_REDIRECTS} times", ExitStatus.REJECTED)
                    request = request.redirected(response.status_code, location)
                    continue
                display.show(response, timeline)
                return self._exit_status(response, token)

    def _instead_of(self, token: OAuthToken, response: Any) -> OAuthToken | None:
        """Return a renewed token if the API rejected `token`, at most once; None if there is no retry."""
        if self._renewed or response.status_code != 401 or not is_invalid_token(_challenge_of(response)):
            return None
        self._renewed = True
        try:
            with waiting("renewing the token"):
                newer = self._accounts.fresh_token(self._account, instead_of=token)
        except (OAuthError, CommandError):  # the response has the reason; the failed renewal is not the cause
            return None
        if newer.access_token == token.access_token:
            return None
        note("The API rejected the token. It was renewed, and the request is sent again.")
        return newer

    def _exit_status(self, response: Any, token: OAuthToken) -> int:
        status: int = response.status_code
        if status in (401, 403):
            login = login_command(self._account)
            for line in explained(status, _challenge_of(response), granted=token.scope, login=login):
                note(line)
        return ExitStatus.REJECTED if status >= 400 else ExitStatus.OK


def _challenge_of(response: Any) -> str | None:
    value: str | None = response.headers.get("www-authenticate")
    return value
