"""The OpenID Connect options of a session, and the forms of its `issuer=` option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from doorkey.arguments import flag, instance, seconds, text, texts
from doorkey.errors import UsageError
from doorkey.jose.claim_rules import LEEWAY, MAX_LEEWAY
from doorkey.protocol.metadata import ENDPOINTS

if TYPE_CHECKING:
    from doorkey.oidc.core.issuers import TenantIssuer
    from doorkey.sources.id_tokens import Protection
    from doorkey.sources.shared_issuer import SharedIssuer

# The modules that verify tokens are imported only for options that need them, so that other sessions start faster.

RESPONSES: Final = ("id_token", "userinfo")
PROTECTIONS: Final = ("signed_response_alg", "encrypted_response_alg", "encrypted_response_enc")
OPENID_OPTIONS: Final = (
    *(f"{response}_{protection}" for response in RESPONSES for protection in PROTECTIONS),
    *("decryption_keys", "trusted_audiences", "id_token_leeway", "tenant_issuer", "server_metadata_url"),
    "allow_changed_auth_time",
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OpenIDOptions:
    """The registration of a client at its OpenID provider, and its policy for ID tokens."""

    registered: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]], hash=False)
    decryption_keys: object = None
    trusted_audiences: tuple[str, ...] = ()
    id_token_leeway: float = LEEWAY
    allow_changed_auth_time: bool = False
    tenant_issuer: TenantIssuer | None = None
    server_metadata_url: str | None = None
    shared: SharedIssuer | None = None
    """The `Issuer` that was given as `issuer=`."""

    def protection(self, response: str) -> Protection:
        """Return the registered signature and encryption of one kind of `response` ("id_token" or "userinfo")."""
        from doorkey.sources.id_tokens import Protection

        names = zip(("signed", "encrypted", "content"), PROTECTIONS, strict=True)
        return Protection(**{to: self.registered.get(f"{response}_{name}", ()) for to, name in names})


def openid_options(before: OpenIDOptions, given: Mapping[str, Any]) -> OpenIDOptions:
    """Return a copy of the options with the `given` values. None resets an option to its default.

    Raises `UsageError`.
    """
    registered = dict(before.registered)
    own: dict[str, Any] = {}
    for name, value in given.items():
        if name.endswith(PROTECTIONS):
            registered[name] = () if value is None else _registered(name, value)
        else:
            own[name] = getattr(_DEFAULTS, name) if value is None else value
    if own.get("decryption_keys") is not None:
        from doorkey.jose.keys import import_own_keys

        own["decryption_keys"] = import_own_keys(own["decryption_keys"])
    if "trusted_audiences" in own:
        own["trusted_audiences"] = texts(own["trusted_audiences"], "trusted_audiences")
    if "id_token_leeway" in own:
        own["id_token_leeway"] = seconds(own["id_token_leeway"], "id_token_leeway", most=MAX_LEEWAY)
    if "allow_changed_auth_time" in own:
        flag(own["allow_changed_auth_time"], "allow_changed_auth_time")
    if own.get("server_metadata_url") is not None:
        text(own["server_metadata_url"], "server_metadata_url")
    if own.get("tenant_issuer") is not None:
        from doorkey.oidc.core.issuers import TenantIssuer

        instance(own["tenant_issuer"], TenantIssuer, "tenant_issuer must be a TenantIssuer")
    return replace(before, **own, registered=registered)


_DEFAULTS: Final = OpenIDOptions()


def _registered(name: str, value: Any) -> tuple[str, ...]:
    if name.endswith("encrypted_response_alg"):
        from doorkey.jose.encryption_algorithms import management_named

        return tuple(management_named(alg).name for alg in texts(value, name))
    if name.endswith("encrypted_response_enc"):
        from doorkey.jose.encryption_algorithms import encryption_named

        return tuple(encryption_named(enc).name for enc in texts(value, name))
    from doorkey.oidc.core.algorithms import registered_algorithms

    return registered_algorithms(value, name)


def take_issuer(options: OpenIDOptions, given: dict[str, Any]) -> OpenIDOptions:
    """Replace an `Issuer` in `given` by its URL and metadata, or add the issuer of `server_metadata_url`. Return the
    options.

    Raises `UsageError` for arguments that contradict each other.
    """
    issuer: Any = given.get("issuer")
    if issuer is not None and not isinstance(issuer, str):
        from doorkey.sources.shared_issuer import SharedIssuer, refuse_metadata

        instance(issuer, SharedIssuer, "issuer must be a URL or an Issuer")
        refuse_metadata(given.get("metadata"))
        if options.server_metadata_url is not None or options.tenant_issuer is not None:
            raise UsageError("with server_metadata_url= or tenant_issuer=, give issuer= as a URL")
        given["issuer"], told = issuer.issuer, issuer._server.given
        if any(getattr(told, name) is not None for name in ENDPOINTS):
            given["metadata"] = told
        return replace(options, shared=issuer)
    document = options.server_metadata_url
    if document is not None and given.get("metadata") is None:
        from doorkey.protocol.discovery import issuer_of_document
        from doorkey.wire.limits import policy_of

        named = issuer_of_document(document, policy_of(given.get("exchange")).http_hosts)
        if issuer is not None and issuer.rstrip("/") != named:
            raise UsageError("issuer= is not the issuer to which server_metadata_url= belongs: omit one of them")
        given["issuer"] = issuer or named
    return options
