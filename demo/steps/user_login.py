"""A user logs in to a command line tool with the browser of this machine."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo.fleet import Fleet
from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.native import login_in_browser
from doorkey.oidc.core.id_token import IDToken
from tests.servers.browser import Browser


def log_in(issuer: str, **options: Any) -> IDToken | None:
    """Log in."""
    login = login_in_browser(issuer, "public-native", **options)
    return login.claims  # verified: signature, issuer, audience, nonce, …


def shows(place: Place, _: Fleet) -> list[Fact]:
    """Check that the claims name the user who logged in on the page, and that state, nonce and PKCE were sent."""
    urls: list[str] = []
    claims = log_in(place.issuer, open_browser=visit, show=urls.append, clock=place.clock)
    assert claims is not None
    sent = {name: values[0] for name, values in parse_qs(urlsplit(urls[0]).query).items()}
    safe = [name for name in ("state", "nonce", "code_challenge") if sent.get(name)]
    with_pkce = len(safe) == 3 and sent["code_challenge_method"] == "S256"
    user, issuer, audience = (claims[name] for name in ("preferred_username", "iss", "aud"))
    is_verified = user == "alice" and issuer == place.issuer and audience in ("public-native", ["public-native"])
    return [
        Fact("sent", f"{', '.join(safe)} (PKCE with S256)", with_pkce),
        Fact("verified ID token", f"{user} logged in to {audience}", is_verified),
    ]


def visit(url: str) -> None:
    """Log alice in with a browser without a window, and request the callback URL, at which the program listens."""
    callback = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    with Browser("keycloak", "alice", "wonderland") as browser:
        browser.session.get(browser.authorize(url, callback))


STEP = Step("A login in the browser, with a verified ID token", log_in, shows)
