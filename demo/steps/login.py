"""A person logs in: authorization code with PKCE, through the login page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK


def log_in(
    session: OAuth2Session,
    userinfo: str,
    visit: Callable[[str], str],
) -> dict[str, str]:
    """Send a browser to log in (`visit` returns where it came back to), ask for its user."""
    with session:
        transaction = session.begin_authorization()
        callback = visit(transaction.url)
        session.fetch_token(
            authorization_response=callback,
            transaction=transaction,
        )
        who: dict[str, str] = session.get(userinfo).json()
        return who


def shows(place: Place) -> list[Fact]:
    """The userinfo endpoint names the user who logged in on the page; state, nonce and PKCE were sent."""
    urls: list[str] = []

    def visit(url: str) -> str:
        with Browser("keycloak", "alice", "wonderland") as browser:  # fills in the form that the page shows
            urls.extend((url, browser.authorize(url, CALLBACK)))
        return urls[-1]

    session = OAuth2Session(
        client_id="public-native",
        redirect_uri=CALLBACK,
        scope="openid profile",
        token_endpoint=place.token_endpoint,
        authorization_endpoint=place.authorization_endpoint,
    )
    name = log_in(session, place.userinfo_endpoint, visit)["preferred_username"]
    sent, came = (dict(parse_qsl(urlsplit(url).query)) for url in urls)
    asked = [part for part in ("state", "nonce", "code_challenge", "code_challenge_method") if sent.get(part)]
    with_pkce = len(asked) == 4 and sent["code_challenge_method"] == "S256"
    return [
        Fact("asked with", ", ".join(asked), with_pkce),
        Fact("came back with", ", ".join(came), bool(came.get("code")) and came.get("state") == sent["state"]),
        Fact("logged in", name, name == "alice"),
    ]


STEP = Step("Authorization code with PKCE, through the login page", log_in, shows)
