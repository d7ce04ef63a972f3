"""The embedded provider of `Login.dev()`, which runs in a thread of the application."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doorkey.errors import MissingLibraryError, UsageError
from doorkey.login.web.environment import DEFAULT_NAME
from doorkey.login.web.providers import LoginProvider
from doorkey.login.web.site import CALLBACK, Site
from doorkey.runtime.extras import EXTRAS, explained
from doorkey.transport.httpx_or_httpx2 import NAMES
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.dev import Provider

CLIENT_ID: Final = "dev-login"
FIRST_PORT: Final = 20_000
PORTS: Final = 10_000
"""The number of ports. The range is below the ports that operating systems use for outgoing connections."""


def development_provider(site: Site) -> LoginProvider:
    """Start an embedded provider on this machine, and return it as a provider of a login.

    The port is derived from the working directory, so that the issuer and every user stay the same after a restart.
    If this port is in use, the provider listens at any free port.

    site: the site. Its callback is registered at its base URL and on this machine.

    Raises `MissingLibraryError` if a library of the provider is missing.
    """
    try:
        from doorkey.dev import client, user
    except ModuleNotFoundError as error:
        raise explained(error, "doorkey.dev") from error
    bases = [f"http://{host}" for host in ("127.0.0.1", "localhost", "[::1]")]
    if site.base_url is not None:
        bases.append(site.base_url)
    registered = client(
        CLIENT_ID,
        redirect_uris=[site.url(base, CALLBACK) for base in bases],
        post_logout_redirect_uris=[f"{base}/" for base in bases],
    )
    bob = user("bob", "builder", given_name="Bob", family_name="Example", email="bob@example.org")
    provider, has_default_port = _started(clients=[registered], users=[bob])
    issuer = provider.issuer
    if sys.stderr is not None:  # it is None in pythonw
        # Not a log record, because development servers do not show the records of libraries
        users = "log in as alice, password wonderland, or as bob, password builder"
        sys.stderr.write(
            f"doorkey: the login uses an embedded provider, for development, at {shown_url(issuer)}: {users}\n"
        )
        if not has_default_port:
            sys.stderr.write(
                "doorkey: the default port of this provider is in use. If another worker of the application uses it, "
                "run only one worker, because each worker has its own provider\n"
            )
        sys.stderr.flush()
    return LoginProvider(DEFAULT_NAME, CLIENT_ID, label="the embedded provider", issuer=issuer)


def check_libraries(*, awaited: bool) -> None:
    """Raise `MissingLibraryError` with the extras, if a library of the provider or the HTTP client is missing."""
    missing = {name: "server" for name in ("starlette", "uvicorn") if find_spec(name) is None}
    clients = NAMES if awaited else ("requests", *NAMES)
    if all(find_spec(name) is None for name in clients):
        missing[clients[0]] = EXTRAS[clients[0]]
    if missing:
        extras = ",".join(sorted(set(missing.values())))
        message = f"Login.dev() needs {' and '.join(missing)}: pip install 'doorkey[{extras}]'"
        raise MissingLibraryError(message, name=next(iter(missing)))


def _started(**options: Any) -> tuple[Provider, bool]:
    """Return the provider, and whether it has the port of the working directory."""
    from doorkey.dev import Provider

    with suppress(OSError, UsageError):  # the working directory no longer exists, or the port is in use
        return Provider(port=port_of(Path.cwd()), **options).start(), True
    return Provider(**options).start(), False


def port_of(directory: Path) -> int:
    """Return the port for the provider of a program that runs in `directory`."""
    digest = hashlib.sha256(os.fsencode(directory)).digest()
    return FIRST_PORT + int.from_bytes(digest[:4], "big") % PORTS
