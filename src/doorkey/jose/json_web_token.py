"""`jwt.encode` and `jwt.decode`: signed tokens with programs' own names for things (RFC 7515, RFC 7519).

Theory of operation. The algorithm never comes from the token (RFC 8725 §3.1). `JsonWebToken(["RS256"])` is told it.
`jwt` is told none, so that it follows from the keys: a key verifies what its type, curve, `use` and `alg` allow. A
bare text says nothing about itself (it may as well be an error page that was fetched in place of keys), so it is a
shared secret only where an HMAC has been registered.
"""

from __future__ import annotations

import calendar
import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar, cast, overload

from doorkey.arguments import mapping, members
from doorkey.errors import UsageError, VerificationError
from doorkey.jose.algorithms import ALGORITHMS, algorithm_named
from doorkey.jose.claims import JWTClaims, Options
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.jose.keys import Key, import_keys
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_header, verify
from doorkey.values import Secret, clears_locals

_C = TypeVar("_C", bound=JWTClaims)
_Header = Mapping[str, Any]
Keys = Callable[[_Header], object] | object
"""What verifies; a function is named so that checkers know what it is called with."""

_TIMES: Final = ("exp", "iat", "nbf")


class JsonWebToken:
    """Signs and verifies JWTs in the compact form by the `algorithms` that are registered, and by no other.

    None registers nothing: the keys then say what they are for. Raises `UsageError` for an algorithm that is not known;
    `none` is not one.
    """

    __slots__ = ("_algorithms",)

    def __init__(self, algorithms: str | Iterable[str] | None = None) -> None:
        self._algorithms = None if algorithms is None else _registered(algorithms)

    def __repr__(self) -> str:
        return f"<JsonWebToken {' '.join(self._algorithms or ('by the keys',))}>"

    @clears_locals
    def encode(self, header: Mapping[str, Any], payload: Mapping[str, Any], key: object) -> bytes:
        """Return `payload` signed with `key` by the `alg` of `header`, whose other members go along.

        `key` is a private key or a secret as `doorkey.jose.keys.import_key` reads it; `exp`, `iat` and `nbf` may be
        datetimes (without a zone: UTC). Raises `UsageError` where key and algorithm do not fit, or it is not JSON.
        """
        mapping(header, "the header")
        mapping(payload, "the payload")
        alg: object = header.get("alg")
        if not isinstance(alg, str):
            raise UsageError('the header names the algorithm: {"alg": "RS256"}')
        if self._algorithms is not None and alg not in self._algorithms:
            raise UsageError(f"the header's algorithm is none of the registered ones: {', '.join(self._algorithms)}")
        claims = {name: _moment(value) if name in _TIMES else value for name, value in payload.items()}
        return sign(claims, key, alg=alg, header=header).encode("ascii")

    @overload
    def decode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims: ...
    @overload
    def decode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[_C],
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> _C: ...
    @clears_locals
    def decode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[JWTClaims] | None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims:
        """Return the claims of the token `s` once its form, algorithm and signature are found good.

        `key` is a JWK Set as it was fetched, one JWK, PEM, a key object, a list of these, a `doorkey.KeySource` or
        `doorkey.Issuer`, or a function of the token's header that returns one of them. Of a set, keys that are odd,
        private or symmetric are ignored. `claims_cls` is the kind of claims, which `claims_options` and `claims_params`
        are for. Time and meaning are judged by `validate()` of what is returned.

        Raises `VerificationError` for anything wrong with the token, `UsageError` for what the program gave, and what
        a key source raises that cannot fetch its keys.
        """
        check, keys = self._prepared(s, key, claims_cls, claims_options, claims_params)
        if isinstance(keys, KeysOfIssuer):
            return keys.checked(check)
        if isinstance(keys, AsyncKeysOfIssuer):
            raise UsageError("an AsyncKeySource is for `await jwt.adecode(token, keys)`; decode takes a KeySource")
        return check(keys)

    @overload
    async def adecode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims: ...
    @overload
    async def adecode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[_C],
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> _C: ...
    @clears_locals
    async def adecode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[JWTClaims] | None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims:
        """Return what `decode` returns, with keys that a `doorkey.AsyncKeySource` or a `doorkey.Issuer` fetches.

        All other kinds of keys are accepted too. Raises as `decode` does.
        """
        check, keys = self._prepared(s, key, claims_cls, claims_options, claims_params)
        if isinstance(keys, AsyncKeysOfIssuer):
            return await keys.achecked(check)
        if isinstance(keys, KeysOfIssuer):
            raise UsageError("a KeySource would block the event loop: give an AsyncKeySource or an Issuer")
        return check(keys)

    def _prepared(
        self,
        s: str | bytes | Secret,
        key: object,
        claims_cls: type[JWTClaims] | None,
        claims_options: Options | None,
        claims_params: Mapping[str, Any] | None,
    ) -> tuple[Callable[[object], JWTClaims], object]:
        """Return the function of keys that returns the claims of the token, and the keys that the program means."""
        kind: object = claims_cls or JWTClaims
        if not (isinstance(kind, type) and issubclass(kind, JWTClaims)):
            raise UsageError("claims_cls is JWTClaims, or a class made of it such as CodeIDToken")
        token = _text(s)
        if callable(key):
            key = _chosen(cast("Callable[[_Header], object]", key), unsafe_header(token))

        def check(given: object) -> JWTClaims:
            keys = self._keys(given)
            allowed = _allowed_by(keys) if self._algorithms is None else self._algorithms
            verified = verify(token, keys, algorithms=allowed)
            return kind(verified.claims, verified.header, claims_options, claims_params)

        return check, key

    def _keys(self, key: object) -> tuple[Key, ...]:
        keys = import_keys(key)
        if self._algorithms is None and _has_bare_bytes(key, keys):
            raise UsageError(
                "bytes that are neither PEM nor a JWK Set are a shared secret only where an HMAC is registered, "
                'JsonWebToken(["HS256"]), or where they are marked as one, Secret(text)'
            )
        return keys


jwt: Final = JsonWebToken()
"""For programs that register no algorithm: the keys they give say what these are for."""


def _registered(algorithms: object) -> tuple[str, ...]:
    expected = "algorithms is a list of those that are registered, for instance ['RS256']"
    names = (algorithms,) if isinstance(algorithms, str) else members(algorithms, expected)
    registered = tuple(algorithm_named(name).name for name in names)
    if not registered:
        raise UsageError(expected)
    return registered


def _allowed_by(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """Return the algorithms that at least one key verifies: its own, or all of its type and curve."""
    allowed = tuple(alg for alg in ALGORITHMS if any(_fits(key, alg) for key in keys))
    if allowed:
        return allowed
    for key in keys:
        if key.kty == "oct":
            key.check("HS256", "verify")  # says what is wrong with it
    raise VerificationError("alg", "has no key that fits it: no key here is for signatures")


def _fits(key: Key, alg: str) -> bool:
    try:
        key.check(alg, "verify")
    except UsageError:
        return False
    return True


def _has_bare_bytes(given: object, keys: tuple[Key, ...]) -> bool:
    members = cast("Iterable[object]", given) if isinstance(given, list | tuple) else (given,)
    return any(key.kty == "oct" for key in keys) and any(isinstance(member, bytes) for member in members)


def _chosen(choose: Callable[[_Header], object], header: _Header) -> object:
    try:
        inspect.signature(choose).bind(header)
    except ValueError:  # a function that does not tell
        pass
    except TypeError:
        raise UsageError(
            "a function that chooses keys is called with the token's header alone, as its claims are not verified by "
            "then; doorkey.jose.verification.unsafe_claims reads them nevertheless"
        ) from None
    return choose(header)


def _text(token: object) -> str:
    if isinstance(token, Secret):
        token = token.reveal()
    if isinstance(token, bytes):
        return token.decode("latin-1")  # what is not ASCII is refused by its form
    if isinstance(token, str):
        return token
    raise UsageError(f"a token is text, not {type(token).__name__}")


def _moment(value: object) -> object:
    try:
        return calendar.timegm(value.utctimetuple()) if isinstance(value, datetime) else value
    except (OverflowError, ValueError):
        raise UsageError("a time lies beyond the calendar") from None
