"""Metadata documents as dictionaries that validate themselves (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).

A program calls `validate()` for a document that it publishes, or has read from a file. `doorkey.discover` returns a
`ServerMetadata`, which is already validated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, TypeAlias

from doorkey.arguments import each
from doorkey.errors import UsageError
from doorkey.oidc.discovery.rules import (
    alg_values,
    array,
    authorization_endpoint,
    boolean,
    id_token_algorithms,
    issuer,
    language_tags,
    one_of,
    page,
    required,
    secure_url,
    token_endpoint,
)

Rule: TypeAlias = Callable[[Mapping[str, Any], str], None]


class AuthorizationServerMetadata(dict[str, Any]):
    """The metadata document of an authorization server (RFC 8414 §2).

    Registered members are attributes too. An absent member has the default of RFC 8414, or None if there is no default.
    `validate_NAME()` checks one member. A subclass may override it, and may add names to `REGISTRY_KEYS`.
    """

    _RULES: ClassVar[Mapping[str, Rule]] = {
        "issuer": issuer,
        "authorization_endpoint": authorization_endpoint,
        "token_endpoint": token_endpoint,
        "jwks_uri": secure_url,
        "registration_endpoint": secure_url,
        "scopes_supported": array,
        "response_types_supported": required(array),
        "response_modes_supported": array,
        "grant_types_supported": array,
        "token_endpoint_auth_methods_supported": array,
        "token_endpoint_auth_signing_alg_values_supported": alg_values,
        "service_documentation": page,
        "ui_locales_supported": language_tags,
        "op_policy_uri": page,
        "op_tos_uri": page,
        "revocation_endpoint": secure_url,
        "revocation_endpoint_auth_methods_supported": array,
        "revocation_endpoint_auth_signing_alg_values_supported": alg_values,
        "introspection_endpoint": secure_url,
        "introspection_endpoint_auth_methods_supported": array,
        "introspection_endpoint_auth_signing_alg_values_supported": alg_values,
        "code_challenge_methods_supported": array,
    }
    _DEFAULTS: ClassVar[Mapping[str, Any]] = {
        "response_modes_supported": ("query", "fragment"),
        "grant_types_supported": ("authorization_code", "implicit"),
        "token_endpoint_auth_methods_supported": ("client_secret_basic",),
        "revocation_endpoint_auth_methods_supported": ("client_secret_basic",),
        "introspection_endpoint_auth_methods_supported": ("client_secret_basic",),
    }
    REGISTRY_KEYS: ClassVar[tuple[str, ...] | list[str]] = tuple(_RULES)
    """The members that `validate` checks."""

    def validate(self, metadata_classes: Iterable[type[AuthorizationServerMetadata]] | None = None) -> None:
        """Check each registered member of this document.

        metadata_classes: subclasses of `AuthorizationServerMetadata`, whose registered members are checked too.

        Raises `UsageError`, a `ValueError`, which names the first member that violates the specification.
        """
        expected = "metadata_classes are subclasses of AuthorizationServerMetadata"
        extensions = each(metadata_classes or (), type, expected)
        if not all(issubclass(extension, AuthorizationServerMetadata) for extension in extensions):
            raise UsageError(expected)
        for document in (self, *(extension(self) for extension in extensions)):
            for name in document.REGISTRY_KEYS:
                getattr(document, f"validate_{name}")()

    def __getattr__(self, name: str) -> Any:
        if name in self.REGISTRY_KEYS:
            default = self._DEFAULTS.get(name)
            return self.get(name, list(default) if isinstance(default, tuple) else default)  # pyright: ignore[reportUnknownArgumentType]
        member = name.removeprefix("validate_")
        if member != name and member in self._RULES:
            return partial(self._RULES[member], self, member)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class OpenIDProviderMetadata(AuthorizationServerMetadata):
    """The metadata document of an OpenID provider (OpenID Connect Discovery 1.0 §3)."""

    _RULES: ClassVar[Mapping[str, Rule]] = {
        **{
            name: rule
            for name, rule in AuthorizationServerMetadata._RULES.items()
            if not name.startswith(("revocation_", "introspection_", "code_challenge_"))
        },
        "jwks_uri": required(secure_url),
        "acr_values_supported": array,
        "subject_types_supported": required(one_of("pairwise", "public")),
        "id_token_signing_alg_values_supported": required(id_token_algorithms),
        "id_token_encryption_alg_values_supported": array,
        "id_token_encryption_enc_values_supported": array,
        "userinfo_signing_alg_values_supported": array,
        "userinfo_encryption_alg_values_supported": array,
        "userinfo_encryption_enc_values_supported": array,
        "request_object_signing_alg_values_supported": array,
        "request_object_encryption_alg_values_supported": array,
        "request_object_encryption_enc_values_supported": array,
        "display_values_supported": one_of("page", "popup", "touch", "wap"),
        "claim_types_supported": one_of("normal", "aggregated", "distributed"),
        "claims_supported": array,
        "claims_locales_supported": language_tags,
        "claims_parameter_supported": boolean,
        "request_parameter_supported": boolean,
        "request_uri_parameter_supported": boolean,
        "require_request_uri_registration": boolean,
    }
    _DEFAULTS: ClassVar[Mapping[str, Any]] = {
        **AuthorizationServerMetadata._DEFAULTS,
        "claim_types_supported": ("normal",),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": False,
    }
    REGISTRY_KEYS: ClassVar[tuple[str, ...] | list[str]] = tuple(_RULES)
