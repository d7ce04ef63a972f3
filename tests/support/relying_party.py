"""A relying party of the tests: a program that logs users in with a session of any adapter, as programs do."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doorkey.errors import VerificationError
from doorkey.oidc.core import UserInfo
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.tokens import OAuth2Token
from tests.support.every_adapter import Adapter, Client
from tests.support.openid_provider import CLIENT, HOME, SECRET, OpenIDProvider


def parameters(url: str) -> dict[str, str]:
    """Return the parameters in the query of a URL."""
    return dict(parse_qsl(urlsplit(url).query))


@dataclass
class RelyingParty:
    """A program on one adapter, and its provider."""

    adapter: Adapter
    provider: OpenIDProvider
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    _client: Client | None = None

    @property
    def client(self) -> Client:
        """The session, made once with the provider's metadata and `options`."""
        if self._client is None:
            self._client = self.session()
        return self._client

    def session(self, **options: Any) -> Client:
        """Return another session at the provider; `options` replace the defaults."""
        usual = {
            "metadata": self.provider.metadata,
            "redirect_uri": HOME,
            "scope": "openid",
            "clock": self.provider.clock,
            **self.options,
        }
        given = {name: value for name, value in {**usual, **options}.items() if value is not None}
        return self.adapter.client(CLIENT, SECRET, **given)

    def begin(self, **parameters: Any) -> AuthorizationTransaction:
        return self.client.begin_authorization(**parameters)

    def log_in(self, **parameters: Any) -> OAuth2Token:
        """Log a user in: the request, the browser, and the token."""
        begun = self.begin(**parameters)
        return self.client.fetch_token(authorization_response=self.provider.log_in(begun.url), transaction=begun)

    def userinfo(self, **arguments: Any) -> UserInfo:
        info: Any = self.client.call("userinfo", **arguments)
        assert isinstance(info, UserInfo)
        return info

    def refuses(self, claim: str, **parameters: Any) -> VerificationError:
        """Assert that a login fails because of `claim`, and that nothing is used or kept after that."""
        with pytest.raises(VerificationError) as error:
            self.log_in(**parameters)
        assert error.value.claim == claim, str(error.value)
        assert self.client.token is None
        assert self.provider.request_count("/userinfo") == 0
        return error.value

    def backchannel_status(self, logout_token: str, **arguments: Any) -> int:
        """Return the status with which the program answers a logout token (Back-Channel Logout 1.0 §2.8)."""
        try:
            self.client.call("verify_logout_token", logout_token, **arguments)
        except VerificationError:
            return 400
        return 200
