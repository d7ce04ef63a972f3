"""An application with a login, as its provider knows it: its addresses, its secret, and its `Login`."""

from collections.abc import Callable
from typing import Any

from doorkey.login import Login
from doorkey.testing import Provider, client
from tests.support.web_sites import Site

LOCAL = "http://127.0.0.1:8000"
PUBLIC = "https://app.example"
SECRET = "a secret of thirty-two characters"

MakeSite = Callable[..., Site]


def registered() -> Any:
    """The application as the provider knows it."""
    return client(
        "web-app",
        "its-secret",
        redirect_uris=[f"{PUBLIC}/auth/*", f"{PUBLIC}/auth/callback", f"{LOCAL}/auth/*", "http://localhost/auth/*"],
        post_logout_redirect_uris=[f"{PUBLIC}/", f"{LOCAL}/"],
    )


def login_at(provider: Provider, **options: Any) -> Login:
    """The login of the application."""
    given: dict[str, Any] = {"issuer": provider.issuer, "client_id": "web-app", "client_secret": "its-secret"}
    given |= {"sessions": "memory:", **options}
    return Login(**given)
