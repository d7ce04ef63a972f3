"""Authorization responses: finds the request of each, and checks its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.arguments import instance, text
from doorkey.errors import MismatchingStateError, UsageError, VerificationError
from doorkey.protocol.authorization import AuthorizationTransaction, Callback, parse_callback
from doorkey.sessions.authorizations import Pending, pending_of, state_in, unknown_request, value_in
from doorkey.sessions.call_arguments import extra_pairs
from doorkey.sessions.options import SessionOptions
from doorkey.sessions.pending import Authorizations

_TRANSACTION: Final = "transaction must be the result of begin_authorization() or AuthorizationTransaction.from_dict()"
_READ_IT: Final = (
    "this callback has an ID token and no code, so there is no token to fetch: parse it with "
    "parse_authorization_response(), and give the result to verify_id_token()"
)


@dataclass(frozen=True, slots=True, repr=False)
class AuthorizationResponse:
    """A checked authorization response, as `parse_authorization_response` returns it.

    Pass it to ``fetch_token(authorization_response=…)`` of the same session to exchange its code, once. Its repr shows
    no values. Its ID token has not been verified.
    """

    parameters: Mapping[str, str]
    """All parameters of the response, by name."""
    _pending: Pending = field(compare=False)
    _fragment: bool = field(compare=False)
    _parsed_by: Authorizations = field(compare=False)
    _transaction: AuthorizationTransaction | None = field(compare=False, default=None)

    @property
    def code(self) -> str | None:
        """The authorization code, or None."""
        return self.parameters.get("code") or None

    @property
    def id_token(self) -> str | None:
        """The ID token of the front channel (OpenID Connect Core §3.2.2.5, §3.3.2.5) as text, or None."""
        return self.parameters.get("id_token") or None

    @property
    def access_token(self) -> str | None:
        """The access token of the front channel (RFC 6749 §4.2.2), or None."""
        return self.parameters.get("access_token") or None

    def __repr__(self) -> str:
        return f"<AuthorizationResponse with {', '.join(sorted(self.parameters))}>"


@dataclass(frozen=True, slots=True)
class Finished:
    """A checked authorization response whose code or token is about to be used, and its request."""

    callback: Callback
    pending: Pending
    fragment: bool

    def with_nonce(self, nonce: str | None) -> Finished:
        """Return a copy for a login whose request sent `nonce`. None changes nothing."""
        return self if nonce is None else replace(self, pending=self.pending.with_nonce(nonce))

    @property
    def is_token_response(self) -> bool:
        """Whether the response contains the requested access token and no code (RFC 6749 §4.2)."""
        requested = self.fragment or "token" in self.pending.response_type.split()
        return requested and "access_token" in self.callback.parameters and "code" not in self.callback.parameters

    def code(self) -> str:
        """Return the authorization code. Raises `VerificationError` if the callback has no code."""
        code = self.callback.parameters.get("code")
        if not code:
            raise VerificationError("code", "is missing in the callback")
        return code


def finish(
    response: str | Mapping[str, Any] | AuthorizationResponse,
    options: SessionOptions,
    authorizations: Authorizations,
    *,
    state: str | None = None,
    transaction: AuthorizationTransaction | None = None,
    token_endpoint: str | None = None,
    may_read_fragment: bool = False,
) -> Finished:
    """Check `response`, and return it for immediate use of its code or token. Its state cannot be used again.

    `token_endpoint` is the endpoint that will receive the code. The other parameters are those of `parsed`. Raises the
    errors of `parsed`, `UsageError` for a response that has only an ID token or that another session parsed, and
    `VerificationError` for a code that has been exchanged.
    """
    if not isinstance(response, AuthorizationResponse):
        given = parsed(
            response,
            options,
            authorizations,
            state=state,
            transaction=transaction,
            may_read_fragment=may_read_fragment,
            token_endpoint=token_endpoint,
            to_be_used=True,
        )
    elif response._parsed_by is not authorizations:
        raise UsageError("this response was parsed by another session: exchange its code with that session")
    else:
        given = response
        _refuse_id_token_alone(given.parameters)
        if given._transaction is not None:
            _check_same_server(given._transaction, options, token_endpoint)
        if not authorizations.finish(f"exchange of {given.parameters.get('state')}"):
            raise VerificationError("code", "has been exchanged already: begin the login again")
    return Finished(Callback(given.parameters), given._pending, given._fragment)


def parsed(
    response: str | Mapping[str, Any],
    options: SessionOptions,
    authorizations: Authorizations,
    *,
    state: str | None = None,
    transaction: AuthorizationTransaction | None = None,
    may_read_fragment: bool = False,
    token_endpoint: str | None = None,
    to_be_used: bool = False,
) -> AuthorizationResponse:
    """Check `response`, a URL or a posted form as a mapping, and return it. Its state cannot be used again.

    state: the state of the request; None: that of a pending request of this session, else the session's `state` option.
    transaction: the request, in place of `state`.
    may_read_fragment: read the fragment even if the request is not a pending one of this session.
    token_endpoint: the endpoint that will receive the code, compared with that of `transaction`; None: not compared.
    to_be_used: the caller needs a code or an access token. An ID token alone is then refused before the state is used.

    Raises the errors of `parse_callback`, `MismatchingStateError` without a known state, and `UsageError` for a
    transaction of another server.
    """
    if not isinstance(response, Mapping):
        text(response, "authorization_response, the URL of the callback (or the posted form),")
    if state is not None:
        text(state, "state")
    if transaction is not None:
        instance(transaction, AuthorizationTransaction, _TRANSACTION)
        _check_same_server(transaction, options, token_endpoint)
        return _parsed_by_transaction(response, options, authorizations, transaction)
    expected = state or _own_state(response, authorizations) or options.state
    pending = authorizations.find(expected)
    if expected is None:
        raise MismatchingStateError(
            "does not belong to a login of this session, so the callback may be forged: give state=, or the "
            "transaction= that begin_authorization() returned"
        )
    fragment = pending.fragment if pending else may_read_fragment
    try:
        callback = parse_callback(
            response,
            state=expected,
            issuer=_issuer_of(response, options, options.metadata.issuer, fragment=fragment),
            iss_required=options.metadata.iss_in_callbacks,
            iss_in_id_token=pending is not None and _verifies_id_token(pending, options),
            fragment=fragment,
        )
    except MismatchingStateError:
        raise  # the callback belongs to another request, so the state of this request stays valid
    except Exception:
        authorizations.forget(expected)
        raise
    if to_be_used:
        _refuse_id_token_alone(callback.parameters)
    if not authorizations.forget(expected) and pending is not None:
        raise MismatchingStateError("has just been used by another caller")
    if pending is None:
        pending = unknown_request(options)
    _check_id_token_came(pending, callback)
    return AuthorizationResponse(callback.parameters, pending, fragment, authorizations)


def _parsed_by_transaction(
    response: str | Mapping[str, Any],
    options: SessionOptions,
    authorizations: Authorizations,
    transaction: AuthorizationTransaction,
) -> AuthorizationResponse:
    pending = pending_of(transaction)
    callback = parse_callback(
        response,
        state=transaction.state,
        issuer=_issuer_of(response, options, transaction.issuer or options.metadata.issuer, fragment=pending.fragment),
        iss_required=options.metadata.iss_in_callbacks,
        iss_in_id_token=_verifies_id_token(pending, options),
        fragment=pending.fragment,
    )
    if options.clock() >= transaction.expires_at:
        raise VerificationError("transaction", "has expired: begin the login again")
    if not authorizations.finish(transaction.state):
        raise VerificationError("transaction", "has been finished already: begin the login again")
    _check_id_token_came(pending, callback)
    return AuthorizationResponse(callback.parameters, pending, pending.fragment, authorizations, transaction)


def _issuer_of(
    response: str | Mapping[str, Any], options: SessionOptions, issuer: str | None, *, fragment: bool
) -> str | None:
    """Return the issuer that the response may name: `issuer`, or the issuer of an accepted tenant."""
    tenants = options.openid.tenant_issuer
    named = None if tenants is None else value_in(response, "iss", fragment=fragment)
    return named if tenants is not None and named is not None and tenants.is_issuer(named) else issuer


def _verifies_id_token(pending: Pending, options: SessionOptions) -> bool:
    """Return whether the session verifies an ID token of the response before it uses the rest of the response."""
    return "id_token" in pending.response_type.split() and options.metadata.issuer is not None


def _check_id_token_came(pending: Pending, callback: Callback) -> None:
    if "id_token" in pending.response_type.split() and not callback.parameters.get("id_token"):
        raise VerificationError("id_token", "is missing in the callback, though the response_type asks for it")


def _check_same_server(
    transaction: AuthorizationTransaction, options: SessionOptions, token_endpoint: str | None
) -> None:
    issuer = options.metadata.issuer
    for here, there in ((issuer, transaction.issuer), (token_endpoint, transaction.token_endpoint)):
        if here is not None and there is not None and here != there:
            raise UsageError("this transaction belongs to another authorization server than this session")


def _refuse_id_token_alone(parameters: Mapping[str, str]) -> None:
    if parameters.get("id_token") and not (parameters.get("code") or parameters.get("access_token")):
        raise UsageError(_READ_IT)


def _own_state(response: str | Mapping[str, Any], authorizations: Authorizations) -> str | None:
    """Return the state of the response if this session sent it, and requested the response in that part of the URL."""
    for fragment in (False, True):
        found = state_in(response, fragment=fragment)
        pending = authorizations.find(found)
        if pending is not None and (pending.fragment == fragment or isinstance(response, Mapping)):
            return found
    return None


def with_request_parameters(
    given: dict[str, Any], finished: Finished | None, options: SessionOptions, body: object = None
) -> dict[str, Any]:
    """Return `given` with the missing parameters of the authorization request: redirect URI, code verifier, resources.

    `body` contains further parameters of the call. A `resource` in it takes precedence.
    """
    pending = finished.pending if finished is not None else None
    given = dict(given)
    if given.get("redirect_uri") is None:
        given["redirect_uri"] = pending.redirect_uri if pending is not None else options.redirect_uri
    if given.get("code_verifier") is None and pending is not None and pending.code_verifier is not None:
        given["code_verifier"] = pending.code_verifier.reveal()
    resource = pending.resource if pending is not None and given.get("resource") is None else ()
    if resource and "resource" not in dict(extra_pairs(body, {})):
        given["resource"] = resource
    return given


def response_is_in_fragment(response: object) -> bool:
    """Return whether a URL has a token in its fragment and no code in its query."""
    if not isinstance(response, str):
        return False
    try:
        parts = urlsplit(response)
    except ValueError:
        return False
    return ("access_token=" in parts.fragment or "id_token=" in parts.fragment) and "code=" not in parts.query
