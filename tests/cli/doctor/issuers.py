"""Authorization servers and APIs for the tests of `doorkey doctor`: a good one, whose faults a test adds."""

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from doorkey.cli.doctor.audit import Audit, audit
from doorkey.cli.doctor.finding import Severity
from doorkey.cli.doctor.running import Auditor
from tests.support.hostile_server import Hostile, reply
from tests.support.openid_provider import key_for

NOW = 1_795_918_204.0
DATE = (("Date", formatdate(NOW, usegmt=True)),)
PLACE = "/.well-known/openid-configuration"
OAUTH_PLACE = "/.well-known/oauth-authorization-server"
KEYS = "/jwks"
POSTED = ("token", "revocation", "introspection", "device_authorization")


def jwk(number: int = 0, **changed: Any) -> dict[str, Any]:
    """Return a public key of the issuer, its members changed by `changed`."""
    return {**key_for("ES256", number).public_jwk(), "use": "sig", "alg": "ES256", "kid": f"k{number}", **changed}


class GoodIssuer:
    """An issuer on `server` about which there is nothing to say; `changed` and `keys` are what a test breaks."""

    def __init__(self, server: Hostile) -> None:
        self.server, self.issuer = server, server.url("")
        self.changed: dict[str, Any] = {}
        self.keys: list[Any] = [jwk()]
        for path in POSTED:
            server.on(f"/{path}", reply(400, json={"error": "invalid_request"}))
        server.on("/authorize", reply(400, "<p>client_id is missing", {"Content-Type": "text/html"}))
        server.on("/userinfo", reply(401, headers={"WWW-Authenticate": "Bearer"}))

    @property
    def metadata(self) -> dict[str, Any]:
        members = {
            "issuer": self.issuer,
            "authorization_endpoint": self.server.url("/authorize"),
            **{f"{name}_endpoint": self.server.url(f"/{name}") for name in (*POSTED, "userinfo")},
            "jwks_uri": self.server.url(KEYS),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **self.changed,
        }
        return {name: value for name, value in members.items() if value is not None}

    def publish(self, *, headers: tuple[tuple[str, str], ...] = DATE) -> None:
        """Publish the metadata and the keys as they are now."""
        self.server.on(PLACE, reply(json=self.metadata, headers=headers))
        self.server.on(KEYS, reply(json={"keys": self.keys}))
        self.server.on(OAUTH_PLACE, reply(404))

    def audited(self, **options: Any) -> Audit:
        """Publish, and return the audit of this issuer."""
        self.publish()
        return audited(self.issuer, **options)


def audited(url: str, *, kind: str | None = None, clock: Callable[[], float] = lambda: NOW, **options: Any) -> Audit:
    """Return the audit of `url`; `options` are those of `Auditor`."""
    return Auditor(**options).run(audit(url, clock, kind))


def codes(done: Audit, *severities: Severity) -> list[str]:
    """Return the codes of the findings of these severities: by default, of failures and warnings."""
    wanted = severities or (Severity.FAILURE, Severity.WARNING)
    return [one.code for one in done.findings if one.severity in wanted]


def failures(done: Audit) -> list[str]:
    """Return the codes of the failures."""
    return codes(done, Severity.FAILURE)
