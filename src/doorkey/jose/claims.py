"""The claims of a signed token, as a read-only dictionary (RFC 7519 §4).

Theory of operation. `jwt.decode` returns claims only after it has verified the signature, so the holder of the key
signed them. `validate` checks that the token is valid now and meant for this program. Options only add checks; no
option removes one. The expected values come from the program alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

from doorkey.arguments import mapping, seconds
from doorkey.errors import UsageError, printable
from doorkey.jose.claim_rules import (
    LEEWAY,
    MAX_LEEWAY,
    audiences,
    check_text,
    check_times,
    rules_of,
)
from doorkey.jose.errors import MissingClaimError
from doorkey.values import ReadOnlyDict, Secret

Options = Mapping[str, Mapping[str, Any]]

_SHOWN: Final = 200


class NamedClaims(ReadOnlyDict):
    """Claims that are attributes too. A registered claim that is absent is None.

    The repr shows the names of the claims without their values, which are personal data.
    """

    __slots__ = ()
    REGISTERED_CLAIMS: ClassVar[tuple[str, ...]] = ()
    _read_only_because: ClassVar[str] = "claims are read-only: change a copy, dict(claims)"

    def __getattr__(self, name: str) -> Any:
        if name in self.REGISTERED_CLAIMS:
            return self.get(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        names = printable(", ".join(sorted(str(name) for name in self)), _SHOWN)
        return f"<{type(self).__name__} with {names}>" if self else f"<{type(self).__name__}>"

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        # An unpickled copy has passed no check, so it is a plain dictionary.
        return dict, (dict(self),)


class JWTClaims(NamedClaims):
    """The claims of a JWT, which `validate` checks (RFC 7519 §4.1).

    payload: the claims.
    header: the header of the token.
    options: conditions for each claim: `essential` (it must be present), `value` or `values` (it must be one of them;
        one matching audience of several is enough), and `validate` (a function of the claims and the value, which must
        return a true value).
    params: expected values, with which subclasses such as `IDToken` compare claims.

    Raises `UsageError` for unknown options and params, and for an expected value of None.
    """

    __slots__ = ("_header", "_params", "_rules")
    REGISTERED_CLAIMS: ClassVar[tuple[str, ...]] = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
    ESSENTIAL_CLAIMS: ClassVar[tuple[str, ...]] = ()
    PARAMS: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        payload: Mapping[str, Any],
        header: Mapping[str, Any] | None = None,
        options: Options | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(mapping(payload, "the payload"))
        self._header = MappingProxyType({} if header is None else dict(mapping(header, "the header")))
        self._rules = rules_of(options)
        self._params = self._read_params({} if params is None else mapping(params, "claims_params"))

    @property
    def header(self) -> Mapping[str, Any]:
        """The protected header of the token."""
        return self._header

    def validate(self, now: float | None = None, leeway: float = LEEWAY) -> None:
        """Raise `VerificationError` unless these claims are valid at `now` and satisfy `options` and `params`.

        **Without options and params, only the times are checked**: not the issuer, the audience or the kind of token.
        `doorkey.resource.AccessTokenVerifier` verifies access tokens completely.

        now: seconds since the epoch; None: time.time.
        leeway: seconds by which two clocks may differ, up to an hour.
        """
        at = time.time() if now is None else seconds(now, "now")
        self._validate_at(at, seconds(leeway, "leeway", most=MAX_LEEWAY))

    def _validate_at(self, now: float, leeway: float) -> None:
        """Validate the claims at `now`, in seconds since the epoch. Subclasses add their checks here."""
        required = [rule.name for rule in self._rules if rule.essential]
        for name in (*self.ESSENTIAL_CLAIMS, *required):
            if self.get(name) in (None, ""):
                raise MissingClaimError(name, "is missing")
        for name in ("iss", "sub", "jti"):
            check_text(self, name)
        audiences(self)
        check_times(self, now, leeway)
        for rule in self._rules:
            rule.check(self)

    def _read_params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, value in params.items():
            if name not in self.PARAMS:
                known = ", ".join(self.PARAMS) or "none"
                shown = printable(str(name), 40)
                raise UsageError(f"{type(self).__name__} has no claims parameter {shown!r}; known are: {known}")
            if value is None or value == "" or (isinstance(value, Secret) and not value):
                raise UsageError(f"the {name} to compare with is missing; omit it if the request had none")
        return dict(params)
