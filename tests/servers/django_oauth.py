"""django-oauth-toolkit on a Django of its own. User: `alice`/`wonderland`. One grant type per client.

Each worker of pytest-xdist logs in as its own user, `alice-gw0` and so on, with the same password.

Clients: django_site/provision.py. Settings: `DOT_STRICT=1` for the gates of RFC 9700, `DOT_TTL=5` (seconds),
`DOT_PKCE=0`.
"""

import os
import shutil
import sys
from pathlib import Path

from tests.servers.base import Launch, Server
from tests.servers.process import Unavailable, digest, locked, run
from tests.servers.signing_keys import rsa_key

SITE = Path(__file__).parent / "django_site"


class DjangoOAuth(Server):
    """See the head of this file."""

    name = "django-oauth-toolkit"
    megabytes = 15
    discovery = "/o/.well-known/openid-configuration"

    @property
    def python(self) -> Path:
        """The interpreter of its own environment: what it pins must not meet what we test."""
        return self.home / "venv" / "bin" / "python"

    def fingerprint(self) -> str:
        """Other packages, or an environment whose Python has gone. Any Python that made it will do."""
        try:
            works = run(self.python, "-c", "import django, oauth2_provider")
        except (Unavailable, OSError):
            works = "no"
        return digest(SITE / "requirements.txt", works)

    def install(self) -> None:
        """A virtual environment with the pinned, hashed packages."""
        shutil.rmtree(self.home / "venv", ignore_errors=True)
        run(sys.executable, "-m", "venv", self.home / "venv")
        pip: list[str | Path] = [
            self.python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        run(*pip, "--require-hashes", "-r", SITE / "requirements.txt")

    def prepare(self) -> Launch:
        """A new database with the user and the clients; the signing key is kept between runs."""
        with locked(self.home / "lock"):
            rsa_key(self.keys / "oidc.key")
        shutil.copy(self.keys / "oidc.key", self.state / "oidc.key")
        environment = {
            "DOT_DIR": str(self.state),
            "DOT_PORT": str(self.port),
            "PYTHONPATH": str(SITE),
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.settings,
        }
        run(self.python, SITE / "provision.py", env={**os.environ, **environment})
        return Launch([self.python, SITE / "serve.py"], environment, self.state)
