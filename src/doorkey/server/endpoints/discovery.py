"""The discovery document (OpenID Connect Discovery §3, RFC 8414 §2)."""

from __future__ import annotations

from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.server.context import At
from doorkey.server.endpoints.authorize import PROMPTS
from doorkey.server.grants import GRANTS
from doorkey.server.registrations import ENCRYPTION_ALGS, ENCRYPTION_ENCS, METHODS, NONE, RESPONSE_TYPES, SECRET_ALGS
from doorkey.server.responses.authorization import RESPONSE_MODES
from doorkey.server.responses.responses import json_response
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

ASSERTION_ALGORITHMS = tuple(alg for alg in (*ASYMMETRIC, *SECRET_ALGS) if alg not in ("Ed25519", "Ed448"))
"""The algorithms that are accepted for client assertions. Two names of EdDSA are not listed, as in Keycloak."""


def discovery(request: Request, at: At) -> Flow[Response]:
    """Return the issuer's metadata."""
    yield from ()  # a flow like the others, although it has no storage effect
    ends = at.endpoints
    metadata = {
        "issuer": at.issuer,
        "authorization_endpoint": ends.authorization,
        "token_endpoint": ends.token,
        "device_authorization_endpoint": ends.device_authorization,
        "introspection_endpoint": ends.introspection,
        "userinfo_endpoint": ends.userinfo,
        "end_session_endpoint": ends.end_session,
        "check_session_iframe": ends.check_session,
        "jwks_uri": ends.jwks,
        "revocation_endpoint": ends.revocation,
        "grant_types_supported": [*GRANTS, "implicit"],
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "subject_types_supported": ["public"],
        "prompt_values_supported": list(PROMPTS),
        "id_token_signing_alg_values_supported": [*at.keys.algorithms, *SECRET_ALGS],
        "userinfo_signing_alg_values_supported": [*at.keys.algorithms, *SECRET_ALGS],
        "introspection_signing_alg_values_supported": [*at.keys.algorithms, *SECRET_ALGS],
        "id_token_encryption_alg_values_supported": list(ENCRYPTION_ALGS),
        "id_token_encryption_enc_values_supported": list(ENCRYPTION_ENCS),
        "userinfo_encryption_alg_values_supported": list(ENCRYPTION_ALGS),
        "userinfo_encryption_enc_values_supported": list(ENCRYPTION_ENCS),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "acr_values_supported": list(at.settings.acr_values),
        "scopes_supported": ["openid", "profile", "email"],
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "azp",
            "exp",
            "iat",
            "auth_time",
            "acr",
            "nonce",
            "preferred_username",
            "name",
            "given_name",
            "family_name",
            "email",
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    if at.registration is not None and ends.registration is not None:
        metadata["registration_endpoint"] = ends.registration
        metadata["client_id_metadata_document_supported"] = at.registration.has_documents
    for endpoint in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        # A public client may not introspect tokens (RFC 7662 §2.1).
        public = endpoint != "introspection_endpoint"
        metadata[f"{endpoint}_auth_methods_supported"] = [one for one in METHODS if public or one != NONE]
        metadata[f"{endpoint}_auth_signing_alg_values_supported"] = list(ASSERTION_ALGORITHMS)
    return json_response(metadata, headers=(("Cache-Control", "no-cache"),))
