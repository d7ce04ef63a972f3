"""The authorization endpoint: the URL that a browser is sent to, and the callback of the browser (RFC 6749 §4.1)."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.arguments import instance, mapping
from doorkey.errors import ServerError, UsageError, VerificationError, scrubbed
from doorkey.protocol.state import check_state as _check_state
from doorkey.tokens import moment_of
from doorkey.values import Scope, Secret, hides_locals
from doorkey.wire.messages import Pairs
from doorkey.wire.parameters import merged, not_in_query, parse_form, with_query
from doorkey.wire.strict_json import JSONProblem, parse_object
from doorkey.wire.urls import check_endpoint, how_issuers_differ

LIFETIME: Final = 600.0
"""Seconds until an authorization request expires. The user must have logged in by then."""
MAX_CALLBACK: Final = 64 * 1024

_ONCE: Final = frozenset(
    {
        *("state", "code", "iss", "error", "error_description", "error_uri", "response", "session_state"),
        *("access_token", "token_type", "expires_in", "expires_at", "scope", "id_token"),
    }
)


def new_state() -> str:
    """Return a new `state` or `nonce` of 192 random bits."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class AuthorizationTransaction:
    """A login in progress: all the values that any process needs to finish it (RFC 9700 §2.1, §4.7).

    Send the browser to `url`. Store the transaction in the session of that browser, and pass it to
    ``fetch_token(authorization_response=…, transaction=…)``. The result of `to_dict` contains the code verifier, so
    protect it like other session data.

    url: the URL of the authorization request.
    state, code_verifier, nonce: the random values of this request.
    issuer: the issuer of the server, or None if the client does not know it.
    redirect_uri: the redirect URI of the request, or None.
    scope: the requested scope.
    response_mode: the form of the response: query, fragment or form_post.
    expires_at: seconds since the epoch.
    token_endpoint: the endpoint for the code if it was known at the beginning, or None. No other server gets the code.
    resource: the resource indicators of the request, which the token request repeats (RFC 8707 §2.2).
    response_type: the values in the response (OAuth 2.0 Multiple Response Type Encoding Practices §3, §5).
    max_age: the requested `max_age` in seconds, with which the ID token is checked (OpenID Connect Core §3.1.2.1).
    acr_values: the requested authentication context classes, of which the ID token must have one.
    """

    url: str
    state: str
    code_verifier: Secret
    nonce: str
    issuer: str | None
    redirect_uri: str | None
    scope: Scope
    response_mode: str
    expires_at: float
    token_endpoint: str | None = None
    resource: tuple[str, ...] = ()
    response_type: str = "code"
    max_age: float | None = None
    acr_values: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the transaction as a dictionary of JSON values."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **plain,
            "code_verifier": self.code_verifier.reveal(),
            "scope": str(self.scope),
            "resource": list(self.resource),
            "acr_values": list(self.acr_values),
        }

    def to_json(self) -> str:
        """Return `to_dict()` as JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    @hides_locals
    def from_dict(cls, members: Mapping[str, Any]) -> AuthorizationTransaction:
        """Return the transaction in `members`, a result of `to_dict`. Raises `UsageError` for anything else."""
        mapping(members, "an authorization transaction")
        texts = {name: members.get(name) for name in ("url", "state", "code_verifier", "nonce", "response_mode")}
        optional = {name: members.get(name) for name in ("issuer", "redirect_uri", "scope", "token_endpoint")}
        expires_at = moment_of(members.get("expires_at"))
        lists: dict[str, Any] = {name: members.get(name) or [] for name in ("resource", "acr_values")}
        response_type, max_age = members.get("response_type", "code"), members.get("max_age")
        if (
            not all(isinstance(value, str) and value for value in texts.values())
            or not all(value is None or isinstance(value, str) for value in optional.values())
            or expires_at is None
            or not all(_is_texts(value) for value in lists.values())
            or not (isinstance(response_type, str) and response_type)
            or (max_age is not None and moment_of(max_age) is None)
        ):
            raise UsageError("this is not an authorization transaction: give the result of its to_dict() or to_json()")
        return cls(
            url=str(texts["url"]),
            state=str(texts["state"]),
            code_verifier=Secret(str(texts["code_verifier"])),
            nonce=str(texts["nonce"]),
            issuer=optional["issuer"],
            redirect_uri=optional["redirect_uri"],
            scope=Scope.of(optional["scope"]),
            response_mode=str(texts["response_mode"]),
            expires_at=expires_at,
            token_endpoint=optional["token_endpoint"],
            resource=tuple(lists["resource"]),
            response_type=response_type,
            max_age=None if max_age is None else moment_of(max_age),
            acr_values=tuple(lists["acr_values"]),
        )

    @classmethod
    @hides_locals
    def from_json(cls, text: str | bytes) -> AuthorizationTransaction:
        """Return the transaction in `text`, a result of `to_json`. Raises `UsageError` for anything else."""
        data: object = text.encode("utf-8", "replace") if isinstance(text, str) else text
        try:
            return cls.from_dict(parse_object(instance(data, bytes, "an authorization transaction is JSON text")))
        except JSONProblem as bad:
            raise UsageError(f"this is not an authorization transaction: {bad}") from None


def _is_texts(value: object) -> bool:
    several = cast("list[object]", value) if isinstance(value, list | tuple) else [None]
    return all(isinstance(one, str) for one in several)


@dataclass(frozen=True, slots=True)
class Callback:
    """The checked parameters of a callback. `parameters` may contain a code or a token."""

    parameters: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<Callback with {', '.join(sorted(self.parameters))}>"


@hides_locals
def authorization_url(
    endpoint: str, ours: Pairs, extra: Iterable[tuple[str, str]] = (), http_hosts: Collection[str] = ()
) -> str:
    """Return the URL of an authorization request (RFC 6749 §4.1.1).

    endpoint: the URL of the authorization endpoint.
    ours: the parameters of this library.
    extra: further parameters, which cannot override `ours`.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint, and for a parameter that has another value in `ours` or the endpoint.
    """
    check_endpoint(endpoint, "authorization endpoint", http_hosts)
    return with_query(endpoint, not_in_query(endpoint, merged(ours, extra, "the authorization request")))


@hides_locals
def callback_pairs(response: str | Mapping[str, Any], *, fragment: bool = False) -> Pairs:
    """Return the unchecked parameters of an authorization response.

    response: the URL of the callback, or the posted form of ``response_mode=form_post`` as a mapping (OAuth 2.0 Form
        Post Response Mode §2), which may have several values for a name.
    fragment: True to read the fragment of the URL in place of its query.

    Raises `VerificationError` for a malformed or too long response.
    """
    if not isinstance(response, str):
        return _form_pairs(response)
    if len(response) > MAX_CALLBACK:
        raise VerificationError("callback", f"is longer than {MAX_CALLBACK} characters")
    try:
        parts = urlsplit(response)
    except ValueError as error:
        raise VerificationError("callback", "is not a URL") from scrubbed(error)
    try:
        return parse_form(parts.fragment if fragment else parts.query)
    except UsageError as error:
        raise VerificationError("callback", f"has {error.description}") from None


def _form_pairs(form: Mapping[str, Any]) -> Pairs:
    """Return the pairs of a posted form, repeated names included. Frameworks have three interfaces for these."""
    own: Any = form
    items: Iterable[tuple[Any, Any]]
    if callable(getattr(form, "multi_items", None)):  # Starlette
        items = own.multi_items()
    elif callable(getattr(form, "lists", None)):  # Django, Werkzeug
        items = own.lists()
    else:  # a dictionary, a result of urllib.parse.parse_qs, or a multidict of aiohttp
        items = form.items()
    pairs: list[tuple[str, str]] = []
    for name, value in items:
        given: Any = value
        values: list[Any] = given if isinstance(value, list) else [value]
        pairs += [(name, one) for one in values]
        if not isinstance(name, str) or not all(isinstance(one, str) for one in values):
            raise VerificationError("callback", "is a form with a value that is not text")
    if sum(len(name) + len(value) for name, value in pairs) > MAX_CALLBACK:
        raise VerificationError("callback", f"is longer than {MAX_CALLBACK} characters")
    return tuple(pairs)


@hides_locals
def parse_callback(
    response: str | Mapping[str, Any],
    *,
    state: str | None,
    issuer: str | None = None,
    iss_required: bool = False,
    iss_in_id_token: bool = False,
    fragment: bool = False,
) -> Callback:
    """Return the checked parameters of an authorization response of any response type (RFC 6749 §4.1.2, RFC 9207 §2.4).

    response, fragment: as for `callback_pairs`.
    state: the state of the request; None: it had no state.
    issuer: the issuer of the server that the request was sent to; None: it is unknown, and `iss` is not compared.
    iss_required: True if the server's metadata announces the parameter `iss`, so that it must be present.
    iss_in_id_token: True if the caller verifies the `iss` of an ID token in the response, which replaces the parameter
        (RFC 9207 §2.4), except in an error response.

    Checks in this order: repeated parameters, state, iss, error. Raises `MismatchingStateError` and `VerificationError`
    for the callback of another request, and `ServerError` for an error response.
    """
    pairs = callback_pairs(response, fragment=fragment)
    repeated = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1 and name in _ONCE)
    if repeated:
        raise VerificationError(repeated[0], "occurs in the callback more than once")
    parameters = dict(pairs)
    _check_state(parameters.get("state"), state)
    # The ID token of an error response is never verified, so its `iss` is not evidence.
    has_id_token = iss_in_id_token and bool(parameters.get("id_token")) and "error" not in parameters
    _check_issuer(parameters.get("iss"), issuer, iss_required and not has_id_token)
    if "error" in parameters:
        name = parameters["error"] or "invalid_error"
        raise ServerError.named(name)(name, parameters.get("error_description"), parameters.get("error_uri"))
    return Callback(parameters)


def _check_issuer(got: str | None, issuer: str | None, required: bool) -> None:
    if got is None:
        if required:
            raise VerificationError("iss", "is missing, although the metadata announces it", expected=issuer)
    elif issuer is not None and got != issuer:
        reason = f"names another authorization server{how_issuers_differ(got, issuer)}"
        raise VerificationError("iss", reason, expected=issuer)
