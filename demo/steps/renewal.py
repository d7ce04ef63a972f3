"""The same call before and after the token expires: no code asks for a new token, and the second call has one."""

from __future__ import annotations

from collections.abc import Callable

from demo.outcome import Fact, Step, shortened
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session


def call_before_and_after_expiry(
    session: OAuth2Session,
    echo: str,
    let_tokens_expire: Callable[[], None],
) -> tuple[str, str]:
    """Send a request twice; return both `Authorization` headers, as they came."""
    with session:
        session.fetch_token(username="admin", password="admin")
        before = session.get(echo).json()["authorization"]
        let_tokens_expire()
        after = session.get(echo).json()["authorization"]
        return before, after


def shows(place: Place) -> list[Fact]:
    """Both calls carry a token, and not the same one."""
    session = OAuth2Session(client_id="admin-cli", token_endpoint=place.token_endpoint, clock=place.clock)
    before, after = call_before_and_after_expiry(session, place.echo, place.let_tokens_expire)
    bearers = before.startswith("Bearer ") and after.startswith("Bearer ")
    another = before != after
    return [
        Fact("Authorization", f"{shortened(before)}  then  {shortened(after)}", bearers),
        Fact("another token", "yes" if another else "no", another),
    ]


STEP = Step("The same call after expiry", call_before_and_after_expiry, shows)
