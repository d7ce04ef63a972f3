"""Hints for misspelled names, of constructor options and of parameters of a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from doorkey.arguments import did_you_mean
from doorkey.errors import UsageError

_RENEWS_THERE: Final = "did you mean 'token_endpoint'? A token is renewed there too"
_EACH_REQUEST: Final = (
    "give it in token_params= for token requests, or to create_authorization_url() if the server expects it there"
)

_OPTIONS: Final = {
    "access_token_url": "did you mean 'token_endpoint'?",
    "audience": _EACH_REQUEST,
    "authorization_url": "did you mean 'authorization_endpoint'?",
    "authorize_url": "did you mean 'authorization_endpoint'?",
    "auth_url": "did you mean 'authorization_endpoint'?",
    "auto_refresh_kwargs": "a renewal repeats the client authentication and parameters of the token request",
    "auto_refresh_url": _RENEWS_THERE,
    "callback_url": "did you mean 'redirect_uri'?",
    "introspection_url": "did you mean 'introspection_endpoint'?",
    "redirect_url": "did you mean 'redirect_uri'?",
    "refresh_token_url": _RENEWS_THERE,
    "refresh_url": _RENEWS_THERE,
    "resource": _EACH_REQUEST,
    "revocation_url": "did you mean 'revocation_endpoint'?",
    "tls_client_auth": "give token_endpoint_auth_method='tls_client_auth', and the certificate to the HTTP library",
    "token_updater": "did you mean 'update_token'?",
    "token_uri": "did you mean 'token_endpoint'?",
    "token_url": "did you mean 'token_endpoint'?",
}
"""Hints for option names of other libraries."""

_PARAMETERS: Final = frozenset(
    {
        *("url", "body", "method", "headers", "auth", "grant_type", "state", "authorization_response", "code"),
        *("username", "password", "transaction", "scope", "audience", "resource", "redirect_uri", "code_verifier"),
        *("refresh_token", "token", "token_type_hint", "assertion", "client_id", "client_secret", "nonce"),
        *("client_assertion", "client_assertion_type", "code_challenge", "code_challenge_method", "response_type"),
        *("response_mode", "prompt", "login_hint", "display", "max_age", "ui_locales", "acr_values", "id_token_hint"),
        *("subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"),
        *("device_code", "auth_req_id", "authorization_details", "claims", "request", "request_uri", "dpop_jkt"),
    }
)
"""The parameters of RFC 6749 and its extensions, and the arguments of the methods that send them."""

_MEANT: Final = {
    "accesstokenurl": "url",
    "authcode": "code",
    "authorizationcode": "code",
    "authorizationurl": "authorization_response",
    "callback": "authorization_response",
    "callbackurl": "redirect_uri",
    "grant": "grant_type",
    "pass": "password",
    "passphrase": "password",
    "passwd": "password",
    "passw": "password",
    "pkceverifier": "code_verifier",
    "pw": "password",
    "pwd": "password",
    "redirecturl": "redirect_uri",
    "responseurl": "authorization_response",
    "scopes": "scope",
    "tokenendpoint": "url",
    "tokenurl": "url",
    "user": "username",
    "usr": "username",
    "verifier": "code_verifier",
}
"""The intended names for common wrong names. Names are compared without `_`, `-` and case."""

_CLOSE: Final = 0.87
"""The similarity, from 0 to 1, at which a name counts as a misspelling of another name."""


def option_hint(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message about an unknown option `name`: a hint at the intended option."""
    hint = _OPTIONS.get(name)
    return f": {hint}" if hint else did_you_mean(name, known)


def refuse_near_misses(names: Iterable[str]) -> None:
    """Raise `UsageError` for an extra parameter whose name is a likely misspelling of a known name.

    The request would otherwise differ from what the caller intended. A misspelled `username`, for instance, would
    select the client credentials grant.
    """
    for name in names:
        meant = _meant(name)
        if meant is not None:
            raise UsageError(
                f"there is no parameter {name!r}: did you mean {meant!r}? To send {name!r} anyway, give it in body= "
                "(in a token request) or in the endpoint's URL (in an authorization request)"
            )


def _meant(name: str) -> str | None:
    if name in _PARAMETERS:
        return None
    plain = _plain(name)
    if plain in _MEANT:
        return _MEANT[plain]
    from difflib import get_close_matches

    near = get_close_matches(plain, _PLAIN, 1, _CLOSE)
    return _PLAIN[near[0]] if near else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


_PLAIN: Final = {_plain(name): name for name in _PARAMETERS}
