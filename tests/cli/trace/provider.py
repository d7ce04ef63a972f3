"""A provider whose secrets are all known to the test: it keeps what it receives, and what it issues is distinctive."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from tests.support.hostile_server import Exchange, reply
from tests.support.openid_provider import CLIENT, SECRET, OpenIDProvider

COOKIE = "session=cookie-value-of-the-test"


@dataclass
class KnownProvider(OpenIDProvider):
    """A provider that collects the secret values of a run in `secrets`."""

    issued_secrets: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        super().__post_init__()
        self.user |= {"email": "alice@users.example", "name": "Alice of Wonderland"}
        self.server.on("/revoke", reply(200))
        self.server.on("/device", self._answering(self._device))

    @property
    def metadata(self) -> dict[str, Any]:
        urls = {"revocation_endpoint": "/revoke", "device_authorization_endpoint": "/device"}
        return {**super().metadata, **{name: self.server.url(path) for name, path in urls.items()}}

    @property
    def secrets(self) -> set[str]:
        """The values of this run that must not be shown."""
        sent = {
            value
            for request in self.server.received
            for name, value in (*request.form.items(), *request.query.items())
            if name in ("code", "code_verifier", "refresh_token", "token", "device_code", "client_secret")
        }
        basic = {request.header("authorization") or "" for request in self.server.received}
        credentials = {one.partition(" ")[2] for one in basic if one}
        personal = {value for value in self.user.values() if isinstance(value, str)}
        return {SECRET, *self.issued_secrets, *sent, *credentials, *personal, *COOKIE.split("=")[1:]}

    def browse(self, url: str) -> None:
        """Be the browser of a user who logs in: it follows the redirect to this machine."""
        query = dict(parse_qsl(urlsplit(url).query))
        self.issued_secrets |= {query["state"], query["nonce"], query["code_challenge"]}
        parameters = urlsplit(str(self.log_in(url))).query
        with urlopen(f"{query['redirect_uri']}?{parameters}", timeout=60) as page:  # loopback
            page.read()

    def signed(self, claims: dict[str, Any]) -> str:
        token = super().signed(claims)
        self.issued_secrets |= {token, *token.split(".")}
        return token

    def _access_token(self) -> str:
        self.issued += 1
        token = f"access-token-number-{self.issued}-of-the-test"
        refresh_token = f"refresh-token-number-{self.issued}-of-the-test"
        self.tokens = {"refresh_token": refresh_token}
        self.issued_secrets |= {token, refresh_token}
        return token

    def _token(self, exchange: Exchange) -> bytes:
        if "device_code" in exchange.request.form:
            self._logins[""] = {}
        answer = super()._token(exchange)
        return answer.replace(b"\r\n", f"\r\nSet-Cookie: {COOKIE}\r\n".encode(), 1)

    def _device(self, _: Exchange) -> bytes:
        device = {"device_code": "device-code-of-the-test", "user_code": "WXYZ-WXYZ-WXYZ"}
        self.issued_secrets |= set(device.values())
        url = self.server.url("/enter")
        return reply(
            json={
                **device,
                "verification_uri": url,
                "verification_uri_complete": f"{url}?c=WXYZ-WXYZ-WXYZ",
                "expires_in": 60,
            }
        )


__all__ = ["CLIENT", "SECRET", "KnownProvider"]
