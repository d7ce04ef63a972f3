"""Explanations of an API's rejection, with the cause and the fix (RFC 6750 §3.1, RFC 9470, RFC 9449, RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from doorkey.errors import printable
from doorkey.protocol.challenge import Challenge, challenges_in

__all__: list[str] = []

_INSPECT: Final = "'doorkey token | doorkey inspect -' shows the content of the token"


def explained(status: int, challenge: str | None, *, granted: Iterable[str] | None, login: str) -> list[str]:
    """Return sentences that explain a response of the status 401 or 403: the cause, then the fix.

    status: 401 or 403.
    challenge: the value of `WWW-Authenticate`, or None.
    granted: the scopes of the token; None if they are unknown.
    login: the command that logs this account in again.
    """
    challenges = challenges_in(challenge)
    sentences = [sentence for one in challenges for sentence in _of_challenge(one, granted, login)]
    if sentences:
        return sentences
    if status == 403:
        return [
            "The API accepts the token, and denies this request (403).",
            "The user or the client lacks a permission there: ask the operators of the API. A new login does not help.",
        ]
    return [
        "The API rejects the request (401), and does not say why: it sends no challenge that doorkey knows.",
        f"The token may be for another API, or from an issuer that this API does not trust; {_INSPECT}.",
    ]


def _of_challenge(challenge: Challenge, granted: Iterable[str] | None, login: str) -> list[str]:
    if challenge.scheme == "dpop":
        return ["The API requires a token that is bound to a key (DPoP, RFC 9449), which doorkey curl cannot send."]
    if challenge.scheme != "bearer":
        name = printable(challenge.scheme, 40)
        return [f"The API also accepts, or requires, another kind of authentication: {name}."]
    parameters = challenge.parameters
    error = parameters.get("error", "")
    sentences = {
        "invalid_token": _invalid_token,
        "insufficient_scope": _insufficient_scope,
        "invalid_request": _invalid_request,
        "insufficient_user_authentication": _insufficient_login,
    }.get(error, _no_error)(parameters, granted, login)
    if "resource_metadata" in parameters:
        sentences.append("'doorkey doctor' with the URL of the API shows which issuers it trusts (RFC 9728).")
    return sentences


def _description(parameters: Mapping[str, str]) -> str:
    """Return `: ` and the API's `error_description`, or an empty text."""
    text = parameters.get("error_description", "")
    return f": {printable(text, 300)}" if text else ""


def _quoted(text: str) -> str:
    """Return a text from the API, quoted as one argument for a shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _invalid_token(parameters: Mapping[str, str], granted: Iterable[str] | None, login: str) -> list[str]:
    return [
        f"The API rejects the token (invalid_token){_description(parameters)}.",
        f"It may be revoked, for another API, or from an issuer that this API does not trust; {_INSPECT}.",
        f"If it was revoked, log in again: {login}",
    ]


def _insufficient_scope(parameters: Mapping[str, str], granted: Iterable[str] | None, login: str) -> list[str]:
    needed = parameters.get("scope", "").split()
    cause = [f"The token lacks a scope that this request needs (insufficient_scope){_description(parameters)}."]
    if not needed:
        return [*cause, f"Ask the operators of the API which scope it is, and log in with it: {login} --scope …"]
    has = list(granted) if granted is not None else []
    missing = [scope for scope in needed if scope not in has]
    shown = printable(" ".join(missing or needed), 300)
    wanted = printable(" ".join(dict.fromkeys([*has, *needed])), 500)
    return [*cause, f"Missing: {shown}.", f"Log in again with it: {login} --scope {_quoted(wanted)}"]


def _invalid_request(parameters: Mapping[str, str], granted: Iterable[str] | None, login: str) -> list[str]:
    return [f"The API cannot read the request (invalid_request){_description(parameters)}."]


def _insufficient_login(parameters: Mapping[str, str], granted: Iterable[str] | None, login: str) -> list[str]:
    needs = [f"{name}={printable(parameters[name], 100)}" for name in ("acr_values", "max_age") if name in parameters]
    what = f" ({', '.join(needs)})" if needs else ""
    return [
        f"The API requires a more recent or a stronger login{what}{_description(parameters)}.",
        f"Log in again: {login}",
    ]


def _no_error(parameters: Mapping[str, str], granted: Iterable[str] | None, login: str) -> list[str]:
    error = parameters.get("error")
    if error:
        return [f"The API rejects the request ({printable(error, 80)}){_description(parameters)}."]
    return [
        "The API responds as if the request had no token (Bearer): a proxy may remove the Authorization header.",
        f"It may also require a token from another issuer or for another API; {_INSPECT}.",
    ]
