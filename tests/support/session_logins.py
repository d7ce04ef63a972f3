"""A login of a session at a real or embedded server, and the issuer of its rotating refresh tokens."""

from tests.support.contract_servers import Code, Rotating, Site
from tests.support.every_adapter import Adapter, Client


def logged_in(adapter: Adapter, site: Site, code: Code, issuer: str | None = None) -> Client:
    options = {**site.options, "metadata": site.endpoints(issuer)}
    client = adapter.client(*code.client, scope=code.scope, **options)
    begun = client.begin_authorization()
    client.fetch_token(authorization_response=site.log_in(begun.url), transaction=begun)
    return client


def issuer_of(site: Site, rotating: Rotating) -> str:
    return f"{site.origin}/realms/{rotating.realm}" if rotating.realm else site.issuer
