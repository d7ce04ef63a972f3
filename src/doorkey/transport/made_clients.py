"""The HTTP clients that doorkey creates if the program gives none: their library and their certificate authorities."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.errors import UsageError
from doorkey.transport.httpx_or_httpx2 import installed, library

CA_VARIABLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The first of these variables that is set names the certificate authorities, for all HTTP libraries."""

_LOCAL: Final = ("127.0.0.1", "localhost", "::1")

DIRECT: Final = {f"http://{f'[{host}]' if ':' in host else host}": None for host in _LOCAL}
"""The `mounts=` without a proxy for plain http on this machine: a proxy on another machine would read the secrets."""


def new_client() -> Any:
    """Return a blocking client of the first HTTP library that is installed.

    Raises `UsageError` if no library is installed, or if no certificate authorities can be read from a path in
    `CA_VARIABLES`.
    """
    if installed():
        lib = library()
        # No idle connections: token requests are rare, so the server would have closed them, and we might never.
        limits = lib.Limits(max_connections=100, max_keepalive_connections=0)
        return lib.Client(verify=tls_context(lib), limits=limits, mounts=DIRECT)
    if find_spec("requests") is not None:
        return requests_session()
    raise UsageError("no HTTP library is installed: pip install 'doorkey[httpx2]', or 'doorkey[requests]'")


def tls_context(lib: Any) -> ssl.SSLContext:
    """Return the TLS context for httpx2 or httpx, which clients share. Raises the errors of `new_client`.

    The first call takes tens of milliseconds.
    """
    found = _bundle()
    if found is None:
        return _of_library(lib, os.environ.get("SSL_CERT_DIR"))
    return _trusting(*found)


def own_tls_context() -> ssl.SSLContext:
    """Return the TLS context of the clients that are created here, for any installed library.

    Raises the errors of `new_client`.
    """
    if installed():
        return tls_context(library())
    found = _bundle()
    if found is not None:
        return _trusting(*found)
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


def requests_session(*, trust_env: bool = True) -> Any:
    """Return a session of requests.

    trust_env: False to ignore the variables of the environment.

    Raises the errors of `new_client`.
    """
    import requests

    found = _bundle() if trust_env else None

    class Session(requests.Session):
        def merge_environment_settings(self, url: Any, proxies: Any, *args: Any, **kwargs: Any) -> Any:
            host = urlsplit(str(url)).hostname if str(url).startswith("http:") else None
            # No proxy for plain http on this machine, see `DIRECT`.
            given: dict[str, Any] | None = {**(proxies or {}), "no_proxy": host} if host in _LOCAL else proxies
            merged: Any = super().merge_environment_settings(url, given, *args, **kwargs)
            return merged if found is None else {**merged, "verify": str(found[1])}

    if found is not None:
        _trusting(*found)  # checks the file: requests would report an unreadable one as an error of the server
    session = Session()
    session.trust_env = trust_env
    return session


def _bundle() -> tuple[str, Path] | None:
    return next(((name, Path(path)) for name in CA_VARIABLES if (path := os.environ.get(name))), None)


def _trusting(variable: str, path: Path) -> ssl.SSLContext:
    try:
        if path.is_dir():
            return ssl.create_default_context(capath=path)
        about = path.stat()
        return _trusting_file(path, (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns))
    except (OSError, ssl.SSLError):
        why = f"{variable} names {path}, from which no certificate authorities can be read: correct or unset it"
        raise UsageError(why) from None


@lru_cache(maxsize=4)
def _trusting_file(path: Path, version: tuple[int, ...]) -> ssl.SSLContext:
    """Return the context for one `version` of the file. The cache key changes when the file is replaced."""
    return ssl.create_default_context(cafile=path)


@lru_cache(maxsize=4)
def _of_library(lib: Any, directory: str | None) -> ssl.SSLContext:
    """Return the library's own context. The library reads SSL_CERT_DIR; its value `directory` is for the cache key."""
    context: ssl.SSLContext = lib.create_ssl_context()
    return context
