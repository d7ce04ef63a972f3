"""Programs and commands to copy and paste, which use a provider that runs in a terminal."""

from __future__ import annotations

from doorkey.dev.provider import Provider

CLIENT, WEB, PUBLIC = "client-1", "web-basic", "public-native"
"""The default clients that the snippets use: for a program, for a web application, and for a command line tool."""


def snippets(provider: Provider) -> str:
    """Return the snippets. A comment above each states its purpose."""
    secrets = {one.client_id: one.secret.reveal() for one in provider.clients.values() if one.secret and one.client_id}
    trust = [f"export SSL_CERT_FILE={provider.ca_file} REQUESTS_CA_BUNDLE={provider.ca_file}"] if _tls(provider) else []
    return "\n\n".join(
        (
            *(_snippet("trust its certificate, in the terminal where your programs run", line) for line in trust),
            _snippet("a program in Python", _python(provider, secrets[CLIENT])),
            _snippet(
                "the environment of a web application that uses Login.from_env()",
                f"export DOORKEY_ISSUER={provider.issuer}",
                f"export DOORKEY_CLIENT_ID={WEB} DOORKEY_CLIENT_SECRET={secrets[WEB]}",
            ),
            _snippet("the command line", f"doorkey login {provider.issuer} --client-id {PUBLIC}"),
            _snippet(
                "curl",
                f"curl -u {CLIENT}:{secrets[CLIENT]} -d grant_type=client_credentials \\\n  {provider.token_endpoint}",
            ),
        )
    )


def _python(provider: Provider, secret: str) -> str:
    return f"""\
from doorkey.integrations.requests_client import OAuth2Session

issuer = "{provider.issuer}"
with OAuth2Session("{CLIENT}", "{secret}", issuer=issuer) as session:
    session.fetch_token(grant_type="client_credentials")
    print(session.get("{provider.echo}").json())"""


def _snippet(title: str, *lines: str) -> str:
    return "\n".join((f"# {title}", *lines))


def _tls(provider: Provider) -> bool:
    return provider.origin.startswith("https:")
