"""Finishing what the browser brings back: which request it answers, and what may be read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.arguments import instance, text
from doorkey.errors import MismatchingStateError, UsageError, VerificationError
from doorkey.protocol.authorization import AuthorizationTransaction, Callback, parse_callback
from doorkey.sessions.authorizations import Pending, promised_by, state_in
from doorkey.sessions.options import SessionOptions
from doorkey.sessions.pending import Authorizations
from doorkey.values import Scope

_TRANSACTION: Final = "transaction is what begin_authorization() returned, or AuthorizationTransaction.from_dict() read"


@dataclass(frozen=True, slots=True)
class Finished:
    """A callback that passed its checks, and what its request had promised."""

    callback: Callback
    pending: Pending
    fragment: bool

    @property
    def brings_a_token(self) -> bool:
        """Whether the answer is a token itself, in a fragment that was asked for."""
        return self.fragment and "access_token" in self.callback.parameters and "code" not in self.callback.parameters

    def code(self) -> str:
        """Return the authorization code. Raises `VerificationError` when the callback has none."""
        code = self.callback.parameters.get("code")
        if not code:
            raise VerificationError("code", "is missing in the callback")
        return code


def finish(
    url: str,
    options: SessionOptions,
    authorizations: Authorizations,
    *,
    state: str | None = None,
    transaction: AuthorizationTransaction | None = None,
    token_endpoint: str | None = None,
    may_read_fragment: bool = False,
) -> Finished:
    """Return the checked callback at `url`; its state is used up.

    The request it answers is `transaction`, else the one of the `state` given here, of this session's own requests, or
    of the session's `state` option. `token_endpoint` is where its code is to go. `may_read_fragment`: nothing is known
    of the request but that it can only have asked for a fragment. Raises as `parse_callback` does, and `UsageError` for
    a transaction of another server.
    """
    text(url, "authorization_response, the URL that the browser came back with,")
    if state is not None:
        text(state, "state")
    if transaction is not None:
        instance(transaction, AuthorizationTransaction, _TRANSACTION)
        return _finish_transaction(url, options, authorizations, transaction, token_endpoint)
    expected = state or _own_state(url, authorizations) or options.state
    pending = authorizations.find(expected)
    if expected is None:
        raise MismatchingStateError(
            "is not known to this session, so the callback cannot be told from a forged one: give state=, or the "
            "transaction= that begin_authorization() returned"
        )
    fragment = pending.fragment if pending else may_read_fragment
    try:
        callback = parse_callback(
            url,
            state=expected,
            issuer=options.metadata.issuer,
            iss_required=options.metadata.iss_in_callbacks,
            fragment=fragment,
        )
    except MismatchingStateError:
        raise  # somebody else's callback does not use up ours
    except Exception:
        authorizations.forget(expected)
        raise
    if not authorizations.forget(expected) and pending is not None:
        raise MismatchingStateError("has just been used by another caller")
    if pending is None:
        pending = Pending(redirect_uri=options.redirect_uri, scope=options.scope or Scope())
    if "id_token" in pending.response_type.split() and not callback.parameters.get("id_token"):
        raise VerificationError("id_token", "is missing in the callback, though the response_type asks for it")
    return Finished(callback, pending, fragment)


def _finish_transaction(
    url: str,
    options: SessionOptions,
    authorizations: Authorizations,
    transaction: AuthorizationTransaction,
    token_endpoint: str | None,
) -> Finished:
    issuer = options.metadata.issuer
    for here, there in ((issuer, transaction.issuer), (token_endpoint, transaction.token_endpoint)):
        if here is not None and there is not None and here != there:
            raise UsageError("this transaction was begun with another authorization server than this session's")
    pending = promised_by(transaction)
    callback = parse_callback(
        url,
        state=transaction.state,
        issuer=transaction.issuer or issuer,
        iss_required=options.metadata.iss_in_callbacks,
        fragment=pending.fragment,
    )
    if options.clock() >= transaction.expires_at:
        raise VerificationError("transaction", "has expired: begin the login again")
    if not authorizations.finish(transaction.state):
        raise VerificationError("transaction", "has been finished already: begin the login again")
    return Finished(callback, pending, pending.fragment)


def _own_state(url: str, authorizations: Authorizations) -> str | None:
    """Return the state of the callback where this session sent it, in the place where it asked for the answer."""
    for fragment in (False, True):
        found = state_in(url, fragment=fragment)
        pending = authorizations.find(found)
        if pending is not None and pending.fragment == fragment:
            return found
    return None


def with_promised(given: dict[str, Any], finished: Finished | None, options: SessionOptions) -> dict[str, Any]:
    """Return the parameters with what the authorization request promised: the same redirect URI, the verifier."""
    pending = finished.pending if finished is not None else None
    given = dict(given)
    if given.get("redirect_uri") is None:
        given["redirect_uri"] = pending.redirect_uri if pending is not None else options.redirect_uri
    if given.get("code_verifier") is None and pending is not None and pending.code_verifier is not None:
        given["code_verifier"] = pending.code_verifier.reveal()
    return given


def speaks_of_a_fragment(url: str) -> bool:
    """Say whether a callback URL has its answer in the fragment and none in the query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return "access_token=" in parts.fragment and "code=" not in parts.query
