"""The keyword options of every session's constructor as types (PEP 692), for type checkers and editors.

A test keeps them equal to `OWN_OPTIONS`. Nothing imports this module at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict

from doorkey.observe.observer import OnEvent
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sessions.options import UpdateToken
from doorkey.sources.issuer import Issuer
from doorkey.wire.limits import ExchangePolicy


class RegistrationOptions(TypedDict, total=False):
    """The options that no constructor has as a parameter. `doorkey.oauth2.client.OAuth2Client` describes each."""

    acr_values: str | Iterable[str] | None
    allow_changed_auth_time: bool | None
    code_challenge_method: str | None
    decryption_keys: Any
    device_authorization_endpoint: str | None
    display: str | None
    end_session_endpoint: str | None
    exchange: ExchangePolicy | None
    id_token_encrypted_response_alg: str | Iterable[str] | None
    id_token_encrypted_response_enc: str | Iterable[str] | None
    id_token_leeway: float | None
    id_token_signed_response_alg: str | Iterable[str] | None
    introspection_endpoint: str | None
    jwks_uri: str | None
    login_hint: str | None
    max_age: int | str | None
    on_event: OnEvent | None
    prompt: str | None
    pushed_authorization_request_endpoint: str | None
    registration_endpoint: str | None
    rejected_statuses: Iterable[int] | None
    response_mode: str | None
    retry_rejected: bool | None
    revocation_endpoint: str | None
    server_metadata_url: str | None
    sleep: Callable[[float], Any] | None
    tenant_issuer: TenantIssuer | None
    timer: Callable[[], float] | None
    tls_client_certificate_bound_access_tokens: bool | None
    token_params: Mapping[str, Any] | None
    token_request_headers: Mapping[str, str] | Iterable[tuple[str, str]] | None
    token_types: Mapping[str, str] | None
    trusted_audiences: str | Iterable[str] | None
    ui_locales: str | None
    userinfo_encrypted_response_alg: str | Iterable[str] | None
    userinfo_encrypted_response_enc: str | Iterable[str] | None
    userinfo_signed_response_alg: str | Iterable[str] | None


class CommonOptions(RegistrationOptions, total=False):
    """The options that no constructor of a session has as a parameter."""

    authorization_endpoint: str | None
    clock: Callable[[], float] | None
    metadata: ServerMetadata | Mapping[str, Any] | None
    nonce: str | None
    userinfo_endpoint: str | None


class SharedOptions(CommonOptions, total=False):
    """The options of a session or client, in addition to the parameters of its constructor."""

    grant_type: str | None
    issuer: str | Issuer | None
    token_endpoint: str | None


class AssertionOptions(CommonOptions, total=False):
    """The options of an assertion session, in addition to the parameters of its constructor."""

    client_id: str | None
    client_secret: Any
    redirect_uri: str | None
    revocation_endpoint_auth_method: str | ClientAuthMethod | None
    state: str | None
    token: Mapping[str, Any] | None
    token_endpoint_auth_method: str | ClientAuthMethod | None
    update_token: UpdateToken | None


class KeyFileOptions(AssertionOptions, total=False):
    """The options of `from_file` of an assertion session, in addition to its parameters."""

    alg: str | None
    assertion_issuer: str | None
    audience: str | None
    claims: Mapping[str, Any] | None
    expires_at: float | None
    expires_in: float | None
    grant_type: str | None
    header: Mapping[str, Any] | None
    issued_at: float | None
    kid: str | None
    leeway: float | None
    thumbprint_kid: bool
    token_endpoint: str | None
    token_placement: str
    token_url: str | None
