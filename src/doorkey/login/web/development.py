"""The embedded provider of `Login.dev()`, which runs in a thread of the application."""

from __future__ import annotations

from doorkey.login.web.environment import DEFAULT_NAME
from doorkey.login.web.providers import LoginProvider
from doorkey.observe.logs import logger
from doorkey.runtime.extras import explained

CLIENT_ID = "dev-login"


def development_provider(prefix: str) -> LoginProvider:
    """Start an embedded provider on a free port of this machine, and return it as a provider of a login.

    prefix: the path of the login's routes.
    """
    try:
        from doorkey.dev import Provider, client, user
    except ModuleNotFoundError as error:
        raise explained(error, "doorkey.dev") from error
    hosts = ("127.0.0.1", "localhost", "[::1]")
    registered = client(
        CLIENT_ID,
        redirect_uris=[f"http://{host}{prefix}/callback" for host in hosts],
        post_logout_redirect_uris=[f"http://{host}/" for host in hosts],
    )
    bob = user("bob", "builder", given_name="Bob", family_name="Example", email="bob@example.org")
    provider = Provider(clients=[registered], users=[bob]).start()
    logger.warning("the login uses an embedded provider, for development: log in as alice, password wonderland")
    return LoginProvider(DEFAULT_NAME, CLIENT_ID, label="the embedded provider", issuer=provider.issuer)
