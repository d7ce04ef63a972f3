"""Pending logins and logouts of a registry, in the session of the framework and, if there is one, in a cache.

Theory of operation. A request that begins a login writes ``{"data": {…}, "exp": …}`` under ``_state_{name}_{state}``
into the session, as Authlib does, so that programs find the nonce in the expected place. With a cache, the data is in
the cache under the same key, and the session contains only ``{"exp": …}``. In both cases, this entry binds the login to
the browser: a request whose session lacks it reads nothing from the cache and deletes nothing there (RFC 9700 §4.7).

A session may be a cookie of 4 kB, so the entries of all registrations are bounded in number, in bytes and in age, and
the oldest entry is dropped. A short digest of each used or dropped entry stays in the session, because a replay, an
expired login and another browser are three different errors. An old copy of the cookie still contains a used login. So
the process remembers the states that it has used, and a cache stores a mark in place of the data.

The registration `op` with the state ``x_s`` has the same key as `op_x` with the state ``s``. A provider could use this
to have its own login finished as a login of another provider (RFC 9700 §4.4). Two names can share a key only if the
longer name contains ``_``. So an entry of such a registration contains its name; all others are as in Authlib.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

from doorkey.arguments import nonempty_text
from doorkey.errors import OAuthError, StoreError, UsageError
from doorkey.login.errors import LoginExpired, LoginReplayed, NoPendingLogin
from doorkey.sessions.pending import Authorizations
from doorkey.transport.scrubbed_causes import detached
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.strict_json import JSONProblem, parse_object

T = TypeVar("T")

LOGIN: Final = "login"
LOGOUT: Final = "logout"
"""The purpose of a state. The state of a logout cannot finish a login."""

MAX_ENTRIES: Final = 8
"""The maximum number of pending logins and logouts in one session."""
MAX_BYTES: Final = 2048
"""The maximum bytes of JSON of these entries, half of the size of a cookie. The newest entry is always kept."""
MAX_ENDED: Final = 8
"""The maximum number of ended entries that a session remembers."""

ENDED: Final = "_ended_states"
_PREFIX: Final = "_state_"
_USED: Final = "used"
_ENDS: Final = {_USED: "u", "expired": "e", "dropped": "d"}
"""How an entry ended, and the letter for it before the digest in the session."""
_EXPIRED_NOTE: Final = (
    "A pending login expires after `expires_in` seconds, an attribute of the framework's integration (one hour by "
    "default). Check the clock of this machine if a user came back sooner."
)
_NO_STATE: Final = "The address of this page has no parameter `state`, so it belongs to no login."
_NO_STATE_NOTE: Final = (
    "Browsers come to the callback by the redirect of the provider, which returns the `state` of the request. It is "
    "missing if the callback was opened by hand, or if a form_post response was read as a query."
)
_EMPTY_NOTE: Final = (
    "The session of this request is empty: the browser sent no session cookie, or one that this process cannot read. "
    "The login and the callback must be at the same host, and all workers and deployments need the same session "
    "secret. Browsers do not send a session cookie with SameSite=Strict to a callback. A cross-site POST (form_post) "
    "needs SameSite=None; Secure."
)

Session = MutableMapping[str, Any]


class PendingStates:
    """The pending logins and logouts of one registration. Any number of threads and tasks may share it.

    name: the name of the registration.
    cache: has `get(key)`, `set(key, value, expires)` with seconds, and `delete(key)`, which may be asynchronous.
    """

    def __init__(self, name: str, cache: Any = None) -> None:
        self._name = name
        self._cache = cache
        self._used = Authorizations()
        self._marks: dict[str, Any] = {"name": name} if "_" in name else {}

    def key(self, state: str) -> str:
        """Return the key of `state` in the session and in the cache."""
        return f"{_PREFIX}{self._name}_{state}"

    def save(
        self, session: Session, state: str, data: Mapping[str, Any], *, now: float, lifetime: float, use: str = LOGIN
    ) -> Flow[None]:
        """Store the `data` of a new login or logout, and drop the oldest entries beyond the limits of a session.

        Raises `UsageError` for data that JSON cannot represent, and `StoreError` if the cache fails.
        """
        key = self.key(nonempty_text(state, "state"))
        marked = {} if use == LOGIN else {"use": use}
        entry: dict[str, Any] = {**self._marks, **marked, "exp": now + lifetime}
        whole = _json({**marked, "data": dict(data)})
        if self._cache is None:
            entry["data"] = dict(data)
        else:
            yield from self._call("set", key, whole, max(1, round(lifetime)))
        session[key] = entry
        yield from self._tidy(session, now)

    def find(self, session: Session, state: str | None, *, now: float, use: str = LOGIN) -> Flow[dict[str, Any]]:
        """Return the data of a pending login or logout, which stays pending.

        Raises `NoPendingLogin` if this browser did not begin it, `LoginExpired` or `LoginReplayed` according to the
        record in the session, and `StoreError` if the cache fails.
        """
        if not state:
            raise NoPendingLogin(_NO_STATE, for_developers=_NO_STATE_NOTE)
        entry = self._entry(session, self.key(state))
        if entry is None or entry.get("use", LOGIN) != use:
            raise _absence(session, self.key(state))
        if self._used.is_finished(state):
            raise LoginReplayed
        if entry["exp"] <= now:
            raise LoginExpired(for_developers=_EXPIRED_NOTE)
        held = entry if self._cache is None else (yield from self._cached(self.key(state)))
        if held is None:
            raise NoPendingLogin(
                "The cache of the application no longer holds the login.",
                for_developers="The cache of OAuth(cache=…) was restarted, it has evicted the login, or each worker "
                "has a cache of its own: use one cache for all workers.",
            )
        data: object = held.get("data")
        if held.get(_USED) or not isinstance(data, Mapping) or held.get("use", LOGIN) != use:
            raise LoginReplayed if held.get(_USED) else NoPendingLogin()
        return dict(cast("Mapping[str, Any]", data))

    def use_up(self, session: Session, state: str, *, now: float) -> Flow[None]:
        """End the pending login or logout of `state`. If several callers are concurrent, only one of them returns.

        Raises `LoginReplayed` in all other callers, and `StoreError` if the cache fails.
        """
        if not self._used.finish(state):
            raise LoginReplayed
        key = self.key(state)
        entry = self._entry(session, key)
        session.pop(key, None)
        _remember(session, key, _USED)
        if self._cache is not None and entry is not None:
            yield from self._call("set", key, _json({_USED: True}), max(1, round(entry["exp"] - now)))
        yield from self._tidy(session, now)

    def clear(self, session: Session, state: str) -> Flow[None]:
        """Remove `state` from the session, and from the cache if this session holds it."""
        key = self.key(state)
        if self._entry(session, key) is None:
            return
        del session[key]
        if self._cache is not None:
            yield from self._call("delete", key)

    def _entry(self, session: Session, key: str) -> Mapping[str, Any] | None:
        """Return the entry of a session under `key`; None if it belongs to another registration."""
        entry = _entry(session, key)
        return None if entry is None or entry.get("name") != self._marks.get("name") else entry

    def _tidy(self, session: Session, now: float) -> Flow[None]:
        """Drop expired entries, and the oldest entries beyond the limits of a session."""
        for key, how in _surplus(session, now):
            session.pop(key, None)
            _remember(session, key, how)
            if self._cache is not None:
                with suppress(StoreError):  # the data expires anyway, and the current login continues
                    yield from self._call("delete", key)

    def _cached(self, key: str) -> Flow[Mapping[str, Any] | None]:
        value: object = yield from self._call("get", key)
        data = value.encode("utf-8", "replace") if isinstance(value, str) else value
        if not isinstance(data, bytes):
            return None
        try:
            return parse_object(data)
        except JSONProblem:
            return None

    def _call(self, name: str, *args: Any) -> Flow[Any]:
        """Call a method of the cache. Raises `StoreError` with the cache's own error as its cause."""
        failure: OAuthError
        try:
            method: Callable[..., Any] = getattr(self._cache, name)
            return (yield from Settle(method(*args)))
        except OAuthError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  # the library of the cache may raise any error
            failure = StoreError(
                f"the cache of OAuth(cache=…) failed in {name}() ({type(error).__name__})", retryable=True
            )
            failure.__cause__ = detached(error)
        del args
        raise failure


def _entry(session: Session, key: str) -> Mapping[str, Any] | None:
    """Return the entry of a session under `key`; None for a value that `save` did not write."""
    value: object = session.get(key)
    if not isinstance(value, Mapping):
        return None
    entry = cast("Mapping[str, Any]", value)
    exp: object = entry.get("exp")
    return entry if isinstance(exp, int | float) and not isinstance(exp, bool) else None


def _surplus(session: Session, now: float) -> list[tuple[str, str]]:
    """Return the keys of the entries to drop, each with its reason: "expired", or "dropped" beyond the limits."""
    keys = [key for key in session.keys() if str(key).startswith(_PREFIX)]  # noqa: SIM118  # Django's has no iterator
    entries = [(key, entry) for key in keys if (entry := _entry(session, key))]
    entries.sort(key=lambda pair: -cast("float", pair[1]["exp"]))
    surplus: list[tuple[str, str]] = []
    size = 0
    for place, (key, entry) in enumerate(entries):
        size += len(key) + len(_json(entry))
        if entry["exp"] <= now:
            surplus.append((key, "expired"))
        elif place and (place >= MAX_ENTRIES or size > MAX_BYTES):
            surplus.append((key, "dropped"))
    return surplus


def _remember(session: Session, key: str, how: str) -> None:
    """Remember in the session how the entry `key` ended."""
    digest = _digest(key)
    ended = [one for one in _ended(session) if one[1:] != digest]
    session[ENDED] = [*ended, _ENDS[how] + digest][-MAX_ENDED:]


def _absence(session: Session, key: str) -> OAuthError:
    """Return the error for a state without an entry in the session."""
    digest = _digest(key)
    how = next((one[0] for one in _ended(session) if one[1:] == digest), "")
    if how == _ENDS[_USED]:
        return LoginReplayed()
    if how == _ENDS["dropped"]:
        return LoginExpired("Too many other logins were started in this browser after this one.")
    if how:
        return LoginExpired(for_developers=_EXPIRED_NOTE)
    return NoPendingLogin(for_developers=None if [*session.keys()] else _EMPTY_NOTE)


def _ended(session: Session) -> list[str]:
    """Return the records of ended entries, the oldest first. They are a list, because Flask sorts mappings."""
    value: object = session.get(ENDED)
    given = cast("list[object]", value) if isinstance(value, list) else []
    return [one for one in given if isinstance(one, str)]


def _digest(key: str) -> str:
    return urlsafe_b64encode(sha256(key.encode("utf-8", "replace")).digest()[:8]).decode().rstrip("=")


def _json(value: Mapping[str, Any]) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        unfit = type(error).__name__
    raise UsageError(f"the data of a pending login must be JSON ({unfit}): use text, numbers, lists and mappings")
