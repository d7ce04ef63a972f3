"""New authorization requests: their URLs, and the records that check their responses (RFC 6749 §4.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from doorkey.arguments import seconds, text, texts
from doorkey.errors import UsageError, VerificationError
from doorkey.protocol import pkce
from doorkey.protocol.authorization import (
    LIFETIME,
    AuthorizationTransaction,
    authorization_url,
    callback_pairs,
    new_state,
)
from doorkey.sessions.issuer import endpoint_of, missing_endpoint
from doorkey.sessions.near_misses import refuse_near_misses
from doorkey.sessions.options import SessionOptions
from doorkey.tokens import moment_of, token_problem
from doorkey.values import MASK, Scope, Secret
from doorkey.wire.messages import Pairs
from doorkey.wire.parameters import pairs_of

_NEVER_SHOWN: Final = frozenset({"client_secret", "code_verifier", "client_assertion", "password"})


@dataclass(frozen=True, slots=True)
class Pending:
    """The parameters of an authorization request that are needed to check its response and to exchange its code."""

    response_type: str = "code"
    redirect_uri: str | None = None
    code_verifier: Secret | None = None
    scope: Scope = field(default_factory=Scope)
    fragment: bool = False
    resource: tuple[str, ...] = ()
    nonce: Secret | None = None
    max_age: float | None = None
    acr_values: tuple[str, ...] = ()

    def with_nonce(self, nonce: str | None) -> Pending:
        """Return a copy with the `nonce` that another session sent. None changes nothing. Raises `UsageError`."""
        return self if nonce is None else replace(self, nonce=Secret(text(nonce, "nonce")))


def unknown_request(options: SessionOptions) -> Pending:
    """Return the record of a request that another session made, assuming that it had the same `options`."""
    parameters, nonce = options.authorization, options.authorization.get("nonce")
    return Pending(
        redirect_uri=options.redirect_uri,
        scope=options.scope or Scope(),
        nonce=Secret(nonce) if nonce else None,
        max_age=max_age_in(parameters),
        acr_values=acr_values_in(parameters),
    )


def refuse_masked(id_token_hint: object) -> None:
    """Raise `UsageError` for an ID token hint that is the text of a printed token."""
    if isinstance(id_token_hint, Secret) or id_token_hint == MASK:
        raise UsageError(f"id_token_hint is not an ID token: {token_problem(MASK)}")


def begun(
    options: SessionOptions,
    url: str | None,
    extra: dict[str, Any],
    *,
    state: str | None = None,
    code_verifier: str | None = None,
    with_pkce: bool,
) -> tuple[str, str, Pending, Pairs]:
    """Return the URL of a new authorization request, its state, its record for the response, and its parameters.

    url: the authorization endpoint; None: the session's.
    extra: further parameters, which replace those of the session's options.
    state: None: a random value.
    code_verifier: None: a random one if the response type has a code and PKCE is used.
    with_pkce: True to use PKCE even if neither an option nor a parameter requires it.

    Raises `UsageError` for an invalid or misspelled parameter, and without a client ID or an endpoint.
    """
    if not options.client_id:
        raise UsageError("an authorization request needs a client ID: construct the session with client_id=")
    endpoint = endpoint_of(options.metadata, url, "authorization")
    if not endpoint:
        raise missing_endpoint(options.metadata, "authorization")
    if extra:
        refuse_near_misses(extra)
    rest = {**options.authorization, **{name: value for name, value in extra.items() if value is not None}}
    for name, value in (("state", state), ("code_verifier", code_verifier), ("redirect_uri", rest.get("redirect_uri"))):
        if value is not None:
            text(value, name)
    refuse_masked(rest.get("id_token_hint"))
    shown = sorted(_NEVER_SHOWN & rest.keys())
    if shown:
        raise UsageError(
            f"{shown[0]} must not be sent in the authorization URL, which a browser shows (RFC 7636 §4.3, RFC 6749 "
            "§2.3.1)"
        )
    response_type = _response_type(rest.pop("response_type", None))
    if acr_values := acr_values_in(rest):
        rest["acr_values"] = " ".join(acr_values)
    redirect_uri = rest.pop("redirect_uri", None) or options.redirect_uri
    scope = Scope.of(rest.pop("scope", None)) or options.scope or Scope()
    nonce = rest.pop("nonce", None) or (new_state() if "openid" in scope else None)
    method = rest.pop("code_challenge_method", None)
    if method not in (None, pkce.METHOD):
        raise UsageError("code_challenge_method must be 'S256': 'plain' does not protect the code (RFC 9700 §2.1.1)")
    if code_verifier is None and "code" in response_type.split() and (with_pkce or method or options.pkce):
        code_verifier = pkce.new_verifier()
    state = state or new_state()
    kinds = set(response_type.split())
    mode: object = rest.get("response_mode") or ("fragment" if kinds & {"token", "id_token"} else "query")
    if not isinstance(mode, str):
        raise UsageError("response_mode must be text")
    ours = pairs_of(
        {
            "response_type": response_type,
            "client_id": options.client_id,
            "redirect_uri": redirect_uri,
            "scope": str(scope) or None,
            "state": state,
            "nonce": nonce,
            "code_challenge": pkce.challenge_of(code_verifier) if code_verifier else None,
            "code_challenge_method": pkce.METHOD if code_verifier else None,
        }
    )
    pending = Pending(
        response_type=response_type,
        redirect_uri=redirect_uri,
        code_verifier=Secret(code_verifier) if code_verifier else None,
        scope=scope,
        fragment=mode.startswith("fragment"),
        resource=resource_in(rest),
        nonce=Secret(nonce) if nonce else None,
        max_age=max_age_in(rest),
        acr_values=acr_values_in(rest),
    )
    more = pairs_of(rest)
    return authorization_url(endpoint, ours, more, options.metadata.http_hosts), state, pending, ours + more


def resource_in(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the `resource` parameters, which the token request repeats (RFC 8707 §2.2)."""
    given = parameters.get("resource")
    return () if given is None else tuple(value for _, value in pairs_of({"resource": given}))


def max_age_in(parameters: Mapping[str, Any]) -> float | None:
    """Return the `max_age` parameter in seconds, or None. Raises `UsageError` for a value that is not a number."""
    given = parameters.get("max_age")
    if given is None:
        return None
    return seconds(moment_of(given) if isinstance(given, str) else given, "max_age")


def acr_values_in(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values of the `acr_values` parameter (OpenID Connect Core §3.1.2.1). Raises `UsageError`."""
    given = parameters.get("acr_values")
    return () if given is None else tuple(one for value in texts(given, "acr_values") for one in value.split())


def _response_type(given: Any) -> str:
    """Return the parameter for one response type or several (OAuth 2.0 Multiple Response Types §3). Default: code."""
    return " ".join(texts(given or "code", "response_type"))


def transaction_of(
    options: SessionOptions,
    url: str | None,
    extra: dict[str, Any],
    now: float,
    *,
    state: str | None = None,
    code_verifier: str | None = None,
) -> AuthorizationTransaction:
    """Return a new transaction with state, nonce and PKCE, which expires ten minutes after `now`.

    `now` is in seconds since the epoch. `state` and `code_verifier` are chosen by the program; None: random values.
    """
    wanted = {**extra, "nonce": extra.get("nonce") or options.authorization.get("nonce") or new_state()}
    full_url, state, pending, pairs = begun(
        options, url, wanted, state=state, code_verifier=code_verifier, with_pkce=True
    )
    parameters = dict(pairs)
    return AuthorizationTransaction(
        url=full_url,
        state=state,
        code_verifier=pending.code_verifier or Secret(pkce.new_verifier()),  # unused if no code is requested
        nonce=parameters["nonce"],
        issuer=options.metadata.issuer,
        redirect_uri=pending.redirect_uri,
        scope=pending.scope,
        response_mode=parameters.get("response_mode") or ("fragment" if pending.fragment else "query"),
        expires_at=now + LIFETIME,
        token_endpoint=options.metadata.token_endpoint,
        resource=pending.resource,
        response_type=pending.response_type,
        max_age=pending.max_age,
        acr_values=pending.acr_values,
    )


def pending_of(transaction: AuthorizationTransaction) -> Pending:
    """Return the record of the request of `transaction`."""
    return Pending(
        response_type=transaction.response_type,
        redirect_uri=transaction.redirect_uri,
        code_verifier=transaction.code_verifier,
        scope=transaction.scope,
        fragment=transaction.response_mode.startswith("fragment"),
        resource=transaction.resource,
        nonce=Secret(transaction.nonce),
        max_age=transaction.max_age,
        acr_values=transaction.acr_values,
    )


def state_in(response: str | Mapping[str, Any], *, fragment: bool = False) -> str | None:
    """Return the `state` of a response that has not been checked yet, to look up its request."""
    return value_in(response, "state", fragment=fragment)


def value_in(response: str | Mapping[str, Any], name: str, *, fragment: bool = False) -> str | None:
    """Return a parameter of a response that has not been checked yet, or None if it is missing."""
    try:
        return dict(callback_pairs(response, fragment=fragment)).get(name)
    except VerificationError:
        return None
