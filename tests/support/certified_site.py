"""An authorization server with mutual TLS (RFC 8705): its `mtls_endpoint_aliases` require a client certificate."""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from tests.support.hostile_server import reply, token
from tests.support.named_servers import Authority, Proven

HOST = "localhost"
ROBOT = "robot.example"
CONFIGURATION = "/.well-known/openid-configuration"
KINDS = ("token", "revocation", "introspection", "userinfo")


@dataclass
class Site:
    """An authorization server: `plain` for every client, and `mutual`, its aliases, for clients with a certificate."""

    plain: Proven
    mutual: Proven
    authority: Authority

    @property
    def issuer(self) -> str:
        return self.plain.url("")

    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            **{f"{kind}_endpoint": self.plain.url(f"/{kind}") for kind in KINDS},
            "mtls_endpoint_aliases": {f"{kind}_endpoint": self.mutual.url(f"/mtls/{kind}") for kind in KINDS},
        }

    def context(self, *, certificate: bool = True) -> ssl.SSLContext:
        context = self.authority.trusted
        if certificate:
            context.load_cert_chain(self.authority.identity(ROBOT))
        return context

    def session(self, *, certificate: bool = True) -> requests.Session:
        session = requests.Session()
        session.verify = str(self.authority.path)
        session.cert = str(self.authority.identity(ROBOT)) if certificate else None
        return session


@contextmanager
def certified_site(authority: Authority) -> Generator[Site]:
    """Run an authorization server whose aliases require a certificate of `authority`."""
    plain = Proven(authority.proof(HOST), HOST)
    mutual = Proven(authority.proof(HOST, clients=True), HOST)
    site = Site(plain, mutual, authority)
    plain.on(CONFIGURATION, reply(json=site.metadata))
    for server, prefix in ((plain, ""), (mutual, "/mtls")):
        server.on(f"{prefix}/token", token(refresh_token="rt"))
        server.on(f"{prefix}/revocation", reply(200))
        server.on(f"{prefix}/introspection", reply(json={"active": True}))
        server.on(f"{prefix}/userinfo", reply(json={"sub": "alice"}))
    try:
        yield site
    finally:
        plain.close()
        mutual.close()


def paths(server: Proven) -> list[str]:
    """Return the paths of the requests that a server has received."""
    return [request.path for request in server.received]
