"""The names that a registration may contain: its options, the client's options in `client_kwargs`, server metadata.

Programs contain misspelled names, and names from other libraries. A registration accepts them, as in Authlib, and each
unknown name causes one warning that states where the value belongs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from doorkey.arguments import did_you_mean, nonempty_text
from doorkey.protocol.metadata import ENDPOINTS
from doorkey.sessions.near_misses import option_hint
from doorkey.sessions.options import OWN_OPTIONS

SETTINGS: Final = (
    *("client_id", "client_secret", "request_token_url", "request_token_params", "access_token_url"),
    *("access_token_params", "refresh_token_url", "refresh_token_params", "authorize_url", "authorize_params"),
    *("api_base_url", "client_kwargs", "server_metadata_url", "code_challenge_method", "token_endpoint_auth_method"),
    "user_agent",
)
"""The options that the settings of a framework may contain, each with the name of the registration in front."""

CALLABLES: Final = ("fetch_token", "update_token", "compliance_fix", "userinfo_compliance_fix")
OPTIONS: Final = (*SETTINGS, *CALLABLES, "client_cls", "client_auth_methods")
"""The options of `OAuth.register`. Every other name is server metadata."""

_OF_ONE_USER: Final = ("token", "state", "nonce")
_OF_THE_REGISTRATION: Final = ("client_id", "client_secret", "update_token")

HTTP_OPTIONS: Final = frozenset(
    {
        *("adapters", "cert", "cookies", "default_timeout", "headers", "hooks", "max_redirects", "params", "proxies"),
        *("stream", "timeout", "trust_env", "verify", "base_url", "default_encoding", "event_hooks"),
        *("follow_redirects", "http1", "http2", "limits", "mounts", "proxy", "transport"),
    }
)
"""The options of the HTTP libraries' own clients, without `auth`, which would replace the token."""

CLIENT_KWARGS: Final = (OWN_OPTIONS | HTTP_OPTIONS) - {*_OF_ONE_USER, *_OF_THE_REGISTRATION}
"""The names that `client_kwargs` may contain."""

METADATA: Final = frozenset(
    {
        *("issuer", *ENDPOINTS, "jwks", "signed_metadata", "scopes_supported", "response_types_supported"),
        *("response_modes_supported", "grant_types_supported", "service_documentation", "ui_locales_supported"),
        *("op_policy_uri", "op_tos_uri", "code_challenge_methods_supported", "mtls_endpoint_aliases"),
        *("tls_client_certificate_bound_access_tokens", "acr_values_supported", "subject_types_supported"),
        *("display_values_supported", "claim_types_supported", "claims_supported", "claims_locales_supported"),
        *("claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"),
        *("require_request_uri_registration", "require_signed_request_object", "prompt_values_supported"),
        *("require_pushed_authorization_requests", "authorization_response_iss_parameter_supported"),
        *("authorization_details_types_supported", "dpop_signing_alg_values_supported", "protected_resources"),
        *("client_id_metadata_document_supported", "check_session_iframe", "frontchannel_logout_supported"),
        *("frontchannel_logout_session_supported", "backchannel_logout_supported"),
        *("backchannel_logout_session_supported", "backchannel_authentication_endpoint"),
        *("backchannel_token_delivery_modes_supported", "backchannel_user_code_parameter_supported"),
        "backchannel_authentication_request_signing_alg_values_supported",
        *(
            f"{endpoint}_endpoint_auth_{what}_supported"
            for endpoint in ("token", "revocation", "introspection")
            for what in ("methods", "signing_alg_values")
        ),
        *(
            f"{document}_{what}_values_supported"
            for document in ("id_token", "userinfo", "request_object", "introspection", "authorization")
            for what in ("signing_alg", "encryption_alg", "encryption_enc")
        ),
    }
)
"""The registered names of metadata (RFC 8414 §7.1 and its IANA registry), and `jwks`, which programs use too."""

_AS_PARAMETER: Final = "give it in authorize_params={%r: …}, or to authorize_redirect()"
_AS_CLIENT_OPTION: Final = "give it in client_kwargs={%r: …}"
_MEANT: Final = {
    "auth_url": "authorize_url",
    "authorization_url": "authorize_url",
    "authorize_endpoint": "authorize_url",
    "base_url": "api_base_url",
    "discovery_url": "server_metadata_url",
    "jwks_url": "jwks_uri",
    "logout_url": "end_session_endpoint",
    "metadata_url": "server_metadata_url",
    "openid_configuration_url": "server_metadata_url",
    "revoke_url": "revocation_endpoint",
    "secret": "client_secret",
    "token_uri": "access_token_url",
    "token_url": "access_token_url",
    "userinfo_url": "userinfo_endpoint",
    "well_known_url": "server_metadata_url",
}
_REDIRECT: Final = ("redirect_uri", "redirect_url", "callback_url", "redirect_uris")
_SCOPE: Final = ("scope", "scopes")
_PARAMETERS: Final = frozenset(
    {
        *("access_type", "acr_values", "audience", "claims", "connection", "display", "domain_hint", "hd"),
        *("include_granted_scopes", "login_hint", "max_age", "organization", "prompt", "resource", "response_mode"),
        *("response_type", "screen_hint", "ui_locales"),
    }
)
"""Parameters of authorization requests that programs pass as options by mistake."""


def registration_name(name: object) -> str:
    """Return the name of a registration as text: `name` itself, or the value or name of an enum member.

    Raises `UsageError` for anything else, and for empty text.
    """
    if isinstance(name, Enum):
        given: object = name.value
        name = given if isinstance(given, str) else name.name
    return str(nonempty_text(name, "the name of a registration"))


def unknown_options(names: Iterable[str]) -> Iterator[str]:
    """Yield a message for each name in `register(…)` that is neither an option nor registered metadata."""
    for name in names:
        if name not in OPTIONS and name not in METADATA:
            yield f"{name!r} is neither an option of register() nor server metadata{_option_hint(name)}"


def unknown_client_kwargs(names: Iterable[str]) -> Iterator[str]:
    """Yield a message for each name in `client_kwargs` that is not an option of a client."""
    for name in names:
        if name not in CLIENT_KWARGS:
            yield f"there is no option {name!r} in client_kwargs{_client_hint(name)}"


def _option_hint(name: str) -> str:
    if name in _REDIRECT:
        return ": give the redirect URI to authorize_redirect()"
    if name in _SCOPE:
        return f": {_AS_CLIENT_OPTION % 'scope'}"
    if name in _PARAMETERS:
        return f": {_AS_PARAMETER % name}"
    if name in CLIENT_KWARGS:
        return f": {_AS_CLIENT_OPTION % name}"
    if name in _MEANT:
        return f": did you mean {_MEANT[name]!r}?"
    return did_you_mean(name, sorted({*OPTIONS, *METADATA}))


def _client_hint(name: str) -> str:
    if name in _OF_ONE_USER:
        return ": it belongs to one login or user, and a registration is shared by all of them"
    if name in OPTIONS:
        return f": give it to register({name}=…)"
    if name in _PARAMETERS:
        return f": {_AS_PARAMETER % name}"
    if name in METADATA:
        return f": it is server metadata; give it to register({name}=…)"
    return option_hint(name, sorted(CLIENT_KWARGS))
