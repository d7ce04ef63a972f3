"""Credentials: frozen values, each with a client, a grant and the parameters of its token requests.

Secret texts are stored as `Secret`. Equal credentials are the same cache key. A key object or callable that cannot be
hashed is equal only to itself.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from doorkey.arguments import flag, function, members, text, texts
from doorkey.errors import OAuthError, UsageError
from doorkey.protocol import grants
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.protocol.token_endpoint import check_token_types
from doorkey.tokens import legal_refresh_token, legal_token, token_problem
from doorkey.values import Scope, Secret, constructor_clears_locals, hides_locals
from doorkey.wire.messages import Pairs

if TYPE_CHECKING:
    from doorkey.protocol.device import DeviceAuthorization

AuthMethods: TypeAlias = "tuple[str | ClientAuthMethod, ...]"
TokenTypes: TypeAlias = Mapping[str, str] | tuple[tuple[str, str], ...]
SecretText: TypeAlias = str | Secret
SecretSource: TypeAlias = str | Secret | Callable[[], str | None]

_SECRETS = frozenset({"client_secret", "password", "refresh_token", "assertion", "subject_token", "actor_token"})
_FROM_CALLABLE = frozenset({"assertion", "subject_token", "actor_token"})

_TEXTS = ("username", "subject_token_type", "actor_token_type", "requested_token_type")


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class Credentials:
    """The client of a token, and the parameters of its token requests.

    client_id: the client's identifier.
    client_secret: the client's secret as text, or its private key for private_key_jwt (PEM text, a JWK as a mapping, or
        a key object); None for a client without a secret.
    scopes: the requested scope: scope tokens, or text with spaces between them.
    auth_methods: client authentication methods by preference; the first one that the server lists is used.
    audience: names of the servers that the token is for (RFC 8693 §2.1).
    resource: URLs of the servers that the token is for (RFC 8707 §2).
    token_types: meaning of `token_type` values that only this server uses, for instance ``{"user": "Bearer"}``. It is
        kept as pairs.
    tls_client_certificate_bound_access_tokens: True if tokens are bound to the client's TLS certificate. Requests then
        go to the server's `mtls_endpoint_aliases` (RFC 8705 §3.4, §5).
    allow_changed_auth_time: True to accept a renewed ID token whose `auth_time` differs from the original (OpenID
        Connect Core §12.2).

    `scopes`, `audience` and `resource` are kept as tuples of texts.
    """

    client_id: str
    client_secret: object = None
    scopes: str | Iterable[str] = ()
    auth_methods: AuthMethods = ()
    audience: str | Iterable[str] = ()
    resource: str | Iterable[str] = ()
    token_types: TokenTypes = field(default=(), kw_only=True)
    tls_client_certificate_bound_access_tokens: bool = field(default=False, kw_only=True)
    allow_changed_auth_time: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not text(self.client_id, "client_id"):
            raise UsageError("credentials need a client_id")
        for name in ("audience", "resource"):
            object.__setattr__(self, name, texts(getattr(self, name), name))
        for name in _SECRETS:
            if hasattr(self, name):
                object.__setattr__(self, name, _silent(getattr(self, name), name))
        for name in _TEXTS:
            if getattr(self, name, None) is not None:
                text(getattr(self, name), name)
        object.__setattr__(self, "scopes", tuple(Scope.of(self.scopes)))
        object.__setattr__(self, "auth_methods", _methods(self.auth_methods))
        object.__setattr__(self, "token_types", _token_types(self.token_types))
        for name in ("tls_client_certificate_bound_access_tokens", "allow_changed_auth_time"):
            flag(getattr(self, name), name)

    @property
    def repeatable(self) -> bool:
        """Whether the grant can be sent repeatedly, without harm and without a user."""
        return True

    def __eq__(self, other: object) -> bool:
        return self._parts() == other._parts() if isinstance(other, Credentials) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[object, ...]:
        """Return the class and all values, for comparisons. A value that cannot be hashed equals only itself."""
        return (type(self), *(_hashable(getattr(self, attribute.name)) for attribute in fields(self)))

    def grant(self) -> grants.Grant:
        """Return the grant of the next token request. Raises `UsageError` here: only the subclasses have a grant."""
        raise UsageError("these credentials have no grant: use ClientCredentials, RefreshToken or another subclass")

    def parameters(self) -> Pairs:
        """Return the parameters of a token request that do not depend on the grant."""
        scope = (("scope", " ".join(self.scopes)),) if self.scopes else ()
        return (*scope, *(("audience", name) for name in self.audience), *(("resource", url) for url in self.resource))


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class ClientCredentials(Credentials):
    """The client acts for itself (RFC 6749 §4.4). The parameters are those of `Credentials`."""

    def grant(self) -> grants.Grant:
        """Return the client credentials grant."""
        return grants.ClientCredentialsGrant()


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class ResourceOwnerCredentials(Credentials):
    """The name and the password of a user or of a technical account (RFC 6749 §4.3).

    username: the name of the account.
    password: the password of the account, as text or as a `Secret`.

    `with_username_password` sets both. The other parameters are those of `Credentials`.
    """

    username: str = field(default="", kw_only=True)
    password: SecretText = field(default="", kw_only=True)

    @hides_locals
    def with_username_password(self, username: str, password: SecretText) -> ResourceOwnerCredentials:
        """Return a copy with this account.

        username: the name of the account.
        password: the password of the account, as text or as a `Secret`.

        Raises `UsageError` for values of another type.
        """
        return replace(self, username=username, password=password)

    def grant(self) -> grants.Grant:
        """Return the password grant. Raises `UsageError` if the username or password is missing."""
        password = self.password if isinstance(self.password, Secret) else Secret(self.password)
        if not (self.username and password):
            raise UsageError("these credentials need an account: with_username_password(user, password)")
        return grants.PasswordGrant(self.username, password)


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class RefreshToken(Credentials):
    """A refresh token that was obtained elsewhere (RFC 6749 §6). Once the server rejects it, it is not sent again.

    refresh_token: the refresh token, as text or as a `Secret`.

    The other parameters are those of `Credentials`.
    """

    refresh_token: SecretText = field(kw_only=True)

    @property
    def repeatable(self) -> bool:
        """False: with rotation, sending the token twice revokes the grant."""
        return False

    def grant(self) -> grants.Grant:
        """Return the refresh token grant. Raises `UsageError` if the refresh token is not a legal one."""
        return grants.RefreshTokenGrant(_secret_of(self.refresh_token, "refresh_token"))


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class JWTBearer(Credentials):
    """A signed assertion about a user or an account (RFC 7523 §2.1).

    assertion: a signed JWT as text, which is used once, or a callable that returns a new one for each token request.

    The other parameters are those of `Credentials`.
    """

    assertion: SecretSource = field(kw_only=True)

    @property
    def repeatable(self) -> bool:
        """True if `assertion` is a callable, which returns a new assertion for each request."""
        return callable(self.assertion)

    def grant(self) -> grants.Grant:
        """Return the grant with its assertion. Raises `UsageError` if the callable fails or returns no legal token."""
        return grants.JWTBearerGrant(_secret_of(self.assertion, "assertion"))


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class DeviceGrant(Credentials):
    """A login that a user finishes on another device (RFC 8628).

    show: called with the `DeviceAuthorization` of each login, to show its URL and code to the user. It may be a
        coroutine function for an `AsyncTokenSource`.

    The other parameters are those of `Credentials`. A source begins one login, and renews its token by the refresh
    token. If the server rejects the refresh token, or the user denies or does not finish the login, the source raises
    the error until its `retry_now()`, after which the next call begins another login.
    """

    show: Callable[[DeviceAuthorization], object] = field(kw_only=True)

    def __post_init__(self) -> None:
        super(DeviceGrant, self).__post_init__()  # a bare `super()` fails in a dataclass with `slots=True`
        function(self.show, "show must be a callable that shows a DeviceAuthorization to the user")

    @property
    def repeatable(self) -> bool:
        """False: each login needs the user."""
        return False


@constructor_clears_locals
@dataclass(frozen=True, slots=True, eq=False)
class TokenExchange(Credentials):
    """The exchange of a token for another one (RFC 8693 §2.1).

    subject_token: the token that is exchanged: text, or a callable that returns the current one.
    subject_token_type: the type of the subject token, as a URN (RFC 8693 §3).
    actor_token: the token of the party that acts for the subject: text, or a callable; None: no other party acts.
    actor_token_type: the type of the actor token, as a URN.
    requested_token_type: the type of the token to issue, as a URN; None: the server decides.

    The other parameters are those of `Credentials`.
    """

    _: KW_ONLY
    subject_token: SecretSource
    subject_token_type: str = grants.ACCESS_TOKEN_TYPE
    actor_token: SecretSource | None = None
    actor_token_type: str | None = None
    requested_token_type: str | None = None

    def grant(self) -> grants.Grant:
        """Return the grant with its tokens. Raises `UsageError` if a callable fails or there is no legal token."""
        return grants.TokenExchangeGrant(
            _secret_of(self.subject_token, "subject_token"),
            self.subject_token_type,
            None if self.actor_token is None else _secret_of(self.actor_token, "actor_token"),
            self.actor_token_type,
            self.requested_token_type,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _IdentityKey:
    """An unhashable value as part of a cache key. It is compared by identity, and kept alive."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _IdentityKey) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _hashable(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_hashable, cast("tuple[object, ...]", value)))
    try:
        hash(value)
    except TypeError:  # a key object of joserfc, or a callable of the program
        return _IdentityKey(value)
    return value


def _silent(given: Any, name: str) -> Any:
    """Return a secret as `Secret`: text, PEM bytes, or a JWK as sorted JSON, so that equal keys are equal secrets.

    name: the parameter. Only `client_secret` may be a key, and only the names in `_FROM_CALLABLE` may be a callable.

    Key objects and callables are returned unchanged. Raises `UsageError` for a value that this parameter cannot have.
    """
    value, is_valid = given, True
    may_be_key, may_be_callable = name == "client_secret", name in _FROM_CALLABLE
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    elif may_be_key and isinstance(value, Mapping):
        try:
            value = json.dumps(dict(cast("Mapping[str, Any]", value)), sort_keys=True)
        except (TypeError, ValueError, RecursionError):
            raise UsageError(f"{name} is a mapping but not a JWK: it cannot be encoded as JSON") from None
    elif callable(value):
        is_valid = may_be_callable
    elif not isinstance(value, str | Secret | None):
        is_valid = may_be_key and not isinstance(value, int | float | list | tuple | set | frozenset | bytearray)
    if not is_valid:
        others = " or a private key" * may_be_key + " or a function that returns it" * may_be_callable
        raise UsageError(f"{name} must be text{others}, not {type(given).__name__}")
    return Secret(value) if isinstance(value, str) else cast("Any", value)


def _methods(given: object) -> AuthMethods:
    """Return one client authentication method, or an iterable of them, as a tuple. Raises `UsageError`."""
    expected = "auth_methods are names of client authentication methods, or callables"
    several: tuple[Any, ...] = (given,) if isinstance(given, str) or callable(given) else members(given, expected)
    for method in several:
        if not isinstance(method, str):
            function(method, expected)
    return several


def _token_types(given: TokenTypes) -> tuple[tuple[str, str], ...]:
    """Return the meaning of unknown token types as pairs, which can be hashed. Raises `UsageError`."""
    if not given:
        return ()

    named = dict(given) if isinstance(given, tuple) else given  # `replace` passes the pairs of another instance
    return tuple(sorted(check_token_types(named).items()))


def _secret_of(source: SecretSource, what: str) -> Secret:
    """Return the secret of a text or callable. Raises `UsageError` if the callable fails or there is no legal token."""
    value: object = source
    if callable(source):
        try:
            value = source()
        except OAuthError:
            raise
        except Exception as error:
            raise UsageError(f"the callable that returns the {what} failed with {type(error).__name__}") from error
    if inspect.iscoroutine(value):
        value.close()  # otherwise Python warns, far from here, that it was never awaited
    text = value.reveal() if isinstance(value, Secret) else value
    legal = legal_refresh_token if what == "refresh_token" else legal_token
    if not legal(text):
        raise UsageError(f"there is no {what}: {token_problem(text)}")
    return Secret(str(text))
