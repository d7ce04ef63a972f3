"""A call of an API: the session puts the token in."""

from __future__ import annotations

from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session


def call_an_api(token_endpoint: str, users_count: str) -> tuple[int, str]:
    """Count the users of a realm."""
    with OAuth2Session(client_id="admin-cli") as session:
        session.fetch_token(token_endpoint, username="admin", password="admin")
        response = session.get(users_count)
        return response.status_code, response.text


def shows(place: Place) -> list[Fact]:
    """The API counts its users for the bearer of the token."""
    answer = call_an_api(place.token_endpoint, place.users_count)
    return [Fact("answer", repr(answer), answer[0] == 200 and answer[1].isdigit() and int(answer[1]) > 0)]


STEP = Step("API call", call_an_api, shows)
