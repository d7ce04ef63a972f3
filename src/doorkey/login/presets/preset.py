"""`Preset`: one provider as a value, with the options of a client that uses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.values import ShownDefaults
from doorkey.wire.flow import Flow

if TYPE_CHECKING:
    from doorkey.oidc.core.issuers import TenantIssuer

UserInfoFix: TypeAlias = (
    "Callable[[Any, Mapping[str, Any]], Mapping[str, Any] | Awaitable[Mapping[str, Any]] | Flow[Mapping[str, Any]]]"
)
"""``(client, data) -> claims``: `client` sends requests with the user's token, `data` is the userinfo response.

It returns the claims under the names of OpenID Connect, or a flow or an awaitable of them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The facts about one provider that a login needs.

    name: the name of the preset, for instance `google`.
    label: the name of the provider that users see.
    source: URL of the provider's documentation, from which the facts were taken.
    scope: scope of a login, with spaces.
    identity_issuer: the issuer in the identity of a user, the pair (`iss`, `sub`). With OpenID Connect, the `iss` of
        the verified ID token takes its place.
    issuer: the issuer, whose metadata is discovered; None for plain OAuth 2.
    tenant_issuer: the issuers of a server with many tenants, against which ID tokens are checked.
    endpoints: the URLs of single endpoints by their names in metadata (RFC 8414 §2).
    authorization_params: further parameters of each authorization request, for instance `response_mode`.
    token_endpoint_auth_method: name of a client authentication method, or a callable; None: chosen by the metadata.
    userinfo_fix: converts the userinfo response to OpenID Connect claims.
    callback_claims: returns the claims in the callback's parameters outside the ID token. They are not verified.
    logout_uri_param: name of the parameter with the URL to which the browser comes back after a logout.
    note: the differences from the specifications, in one sentence.
    """

    __signature__ = ShownDefaults()

    name: str
    label: str
    source: str
    scope: str
    identity_issuer: str
    issuer: str | None = None
    tenant_issuer: TenantIssuer | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    authorization_params: Mapping[str, str] = field(default_factory=dict[str, str])
    token_endpoint_auth_method: str | ClientAuthMethod | None = None
    userinfo_fix: UserInfoFix | None = None
    callback_claims: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    logout_uri_param: str = "post_logout_redirect_uri"
    note: str = ""

    @property
    def is_openid(self) -> bool:
        """Whether the provider issues ID tokens that a login verifies."""
        return self.issuer is not None

    def client_options(self) -> dict[str, Any]:
        """Return the keyword options of a session or a `LoginClient` for this provider, without credentials."""
        options: dict[str, Any] = {"scope": self.scope, **self.endpoints, **self.authorization_params}
        given = {
            "issuer": self.issuer,
            "tenant_issuer": self.tenant_issuer,
            "token_endpoint_auth_method": self.token_endpoint_auth_method,
        }
        return {**options, **{name: value for name, value in given.items() if value is not None}}

    def register_options(self) -> dict[str, Any]:
        """Return the options of ``oauth.register(name, …)`` for a registry with Authlib's API, without credentials."""
        kwargs = {
            "scope": self.scope,
            "token_endpoint_auth_method": self.token_endpoint_auth_method,
            "tenant_issuer": self.tenant_issuer,
        }
        options: dict[str, Any] = {
            "client_kwargs": {name: value for name, value in kwargs.items() if value is not None}
        }
        if self.issuer is not None:
            options["server_metadata_url"] = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        renamed = {"authorization_endpoint": "authorize_url", "token_endpoint": "access_token_url"}
        options |= {renamed.get(name, name): url for name, url in self.endpoints.items()}
        if self.authorization_params:
            options["authorize_params"] = dict(self.authorization_params)
        if self.userinfo_fix is not None:
            options["userinfo_compliance_fix"] = self.userinfo_fix
        return options

    def logout_params(self, return_to: str) -> dict[str, str]:
        """Return the parameter of a logout request with the URL to which the browser comes back.

        return_to: the URL, which must be registered at the provider.
        """
        return {self.logout_uri_param: return_to}
