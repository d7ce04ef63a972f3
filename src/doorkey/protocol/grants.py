"""The grants of the token endpoint. Each is an immutable value that returns its parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from doorkey.errors import UsageError
from doorkey.tokens import token_problem
from doorkey.values import MASK, Secret
from doorkey.wire.flow import Flow, maybe_await
from doorkey.wire.messages import Pairs

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"


class Grant:
    """A grant that a client presents for a token.

    `repeatable` is True if a client may repeat the request with the same parameters: it needs no user, and the grant is
    not limited to a single use.
    """

    __slots__ = ()
    grant_type: ClassVar[str]
    repeatable: ClassVar[bool] = False

    def parameters(self) -> Pairs:
        """Return `grant_type` and the grant's own parameters."""
        return (("grant_type", self.grant_type), *self._own())

    def _own(self) -> Pairs:
        return ()


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant(Grant):
    """A code from the authorization endpoint (RFC 6749 §4.1.3), with its code verifier (RFC 7636 §4.5)."""

    grant_type = "authorization_code"
    code: Secret
    redirect_uri: str | None = None
    code_verifier: Secret | None = None

    def _own(self) -> Pairs:
        return _given(code=self.code, redirect_uri=self.redirect_uri, code_verifier=self.code_verifier)


@dataclass(frozen=True, slots=True)
class PasswordGrant(Grant):
    """The user name and the password of the resource owner (RFC 6749 §4.3.2)."""

    grant_type = "password"
    repeatable = True
    username: str
    password: Secret

    def _own(self) -> Pairs:
        return _given(username=self.username, password=self.password)


@dataclass(frozen=True, slots=True)
class ClientCredentialsGrant(Grant):
    """The client acts for itself, without a user (RFC 6749 §4.4.2)."""

    grant_type = "client_credentials"
    repeatable = True


@dataclass(frozen=True, slots=True)
class RefreshTokenGrant(Grant):
    """A refresh token (RFC 6749 §6). Not repeatable, because with rotation a second use revokes the whole grant."""

    grant_type = "refresh_token"
    refresh_token: Secret

    def _own(self) -> Pairs:
        own = _given(refresh_token=self.refresh_token)
        if own[0][1] == MASK:  # not in the constructor, to reveal the token only once in each renewal
            raise _mask_error("refresh_token")
        return own


@dataclass(frozen=True, slots=True)
class JWTBearerGrant(Grant):
    """A signed assertion (RFC 7523 §2.1). It is not repeatable, because its `jti` may be used only once."""

    grant_type = JWT_BEARER
    assertion: Secret

    def __post_init__(self) -> None:
        _refuse_mask(assertion=self.assertion)

    def _own(self) -> Pairs:
        return _given(assertion=self.assertion)


@dataclass(frozen=True, slots=True)
class SelfSignedGrant(Grant):
    """A grant whose assertion is signed anew for each request (RFC 7523 §2.1).

    sign: returns a new assertion, or a flow that returns it. `grant_to_send` calls it.
    """

    grant_type = JWT_BEARER
    repeatable = True
    sign: Callable[[], str | Flow[str]]


@dataclass(frozen=True, slots=True)
class TokenExchangeGrant(Grant):
    """The exchange of a token for another one (RFC 8693 §2.1).

    `audience` and `resource` are not part of the grant, because they are parameters of every renewal too.
    """

    grant_type = TOKEN_EXCHANGE
    subject_token: Secret
    subject_token_type: str = ACCESS_TOKEN_TYPE
    actor_token: Secret | None = None
    actor_token_type: str | None = None
    requested_token_type: str | None = None

    def __post_init__(self) -> None:
        _refuse_mask(subject_token=self.subject_token, actor_token=self.actor_token)

    def _own(self) -> Pairs:
        actor_type = self.actor_token_type or (ACCESS_TOKEN_TYPE if self.actor_token else None)
        return _given(
            subject_token=self.subject_token,
            subject_token_type=self.subject_token_type,
            actor_token=self.actor_token,
            actor_token_type=actor_type,
            requested_token_type=self.requested_token_type,
        )


@dataclass(frozen=True, slots=True)
class DeviceCodeGrant(Grant):
    """A login that the user finishes on another device (RFC 8628 §3.4)."""

    grant_type = DEVICE_CODE
    device_code: Secret

    def _own(self) -> Pairs:
        return _given(device_code=self.device_code)


@dataclass(frozen=True, slots=True)
class ExtensionGrant(Grant):
    """Any other grant, identified by its URN (RFC 6749 §4.5). The caller gives its parameters as `extra`."""

    urn: str

    @property
    def grant_type(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """The URN."""
        return self.urn


def grant_to_send(grant: Grant) -> Flow[Grant]:
    """Return the grant for one request: for a `SelfSignedGrant`, one with a new assertion; otherwise `grant` itself."""
    if isinstance(grant, SelfSignedGrant):
        return JWTBearerGrant(Secret((yield from maybe_await(grant.sign()))))
    return grant


def _refuse_mask(**tokens: Secret | None) -> None:
    """Raise `UsageError` for the mask that a printed token shows in place of a secret."""
    for name, token in tokens.items():
        if token is not None and token.reveal() == MASK:
            raise _mask_error(name)


def _mask_error(name: str) -> UsageError:
    return UsageError(f"{name} is not a token: {token_problem(MASK)}")


def _given(**parameters: str | Secret | None) -> Pairs:
    """Return the parameters with a value, and with secrets in the clear."""
    return tuple(
        (name, value.reveal() if isinstance(value, Secret) else value)
        for name, value in parameters.items()
        if value is not None
    )
