"""A session of the family without any HTTP library: its operations are flows, driven step by step."""

from collections.abc import Iterable
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.oauth2.client import OAuth2Client
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.renewal.effects import Active, Renewed
from doorkey.sessions.blocking_awaiting import AwaitingSession
from doorkey.sessions.core import SessionCore
from doorkey.sessions.options import session_options
from doorkey.wire.flow import Effect, Flow, Settle
from doorkey.wire.messages import Request, Response
from doorkey.wire.parameters import parse_form

NOW = 1_800_000_000.0
TOKEN_URL = "https://as.example/token"


class NoLibrary:
    """Its own responses are ours."""

    call_options = frozenset({"timeout"})
    refused_options = frozenset({"allow_redirects"})

    def native_response(self, response: Response, request: Request) -> Response:
        return response

    def plain_response(self, native: Any) -> Response:
        assert isinstance(native, Response)
        return native

    def client_auth(self, auth: Any) -> ClientAuthMethod:
        method: ClientAuthMethod = auth
        return method

    def share_pool(self, session: Any, other: Any) -> None:
        raise AssertionError("there is no pool")


class Bare(OAuth2Client):
    """The family's face, and nothing behind it."""

    _find_endpoint = AwaitingSession._find_endpoint

    def __init__(self, client_id: str = "id", client_secret: str | None = "secret", **options: Any) -> None:
        given = {"client_id": client_id, "client_secret": client_secret, "clock": lambda: NOW, **options}
        own, rest, token = session_options(given, known_elsewhere=(), blocking=False)
        assert rest == {}
        self._oauth = SessionCore(own, NoLibrary(), token)


def drive(session: Bare, flow: Flow[Any], answers: Iterable[Response]) -> tuple[Any, list[Request]]:
    """Run a flow on prepared answers: what it came to, and the requests it made. Renewals are run as they come."""
    left, asked = iter(answers), list[Request]()
    outcome: Any = None
    try:
        effect: Effect[Any] = next(flow)
        while True:
            if isinstance(effect, Request):
                asked.append(effect)
                outcome = next(left)
            elif isinstance(effect, Renewed | Active):
                renew = effect.renew if isinstance(effect, Renewed) else None
                slot = session._oauth.slot
                outcome, more = drive(session, slot.renew_or_share(slot.attempts.generation, renew=renew), left)
                asked += more
            else:
                assert isinstance(effect, Settle)
                outcome = effect.value
            effect = flow.send(outcome)
    except StopIteration as done:
        assert next(left, None) is None, "not every answer was asked for"
        return done.value, asked


def form_of(request: Request) -> dict[str, str]:
    pairs = parse_form(request.content.decode())
    assert len(dict(pairs)) == len(pairs), "a parameter stands there twice"
    return dict(pairs)


def refuses(call: Any, match: str) -> None:
    """Run a call, or the first step of a flow, that is refused before anything is asked."""
    with pytest.raises(UsageError, match=match):
        next(call())
