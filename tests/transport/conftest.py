"""Tests of the exchange that take `adapter` run on every client of the session family."""

import pytest

from tests.support.session_fixtures import adapter, authority, embedded, names, server, site

__all__ = ["adapter", "authority", "embedded", "names", "server", "site"]


@pytest.fixture(autouse=True)
def no_authorities_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine's own settings name no certificate authorities."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
