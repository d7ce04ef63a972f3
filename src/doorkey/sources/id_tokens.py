"""Verifies the tokens that an OpenID provider signs for a client: ID tokens, logout tokens, UserInfo responses.

Theory of operation. The accepted algorithms are those that the client registered, otherwise those that both the issuer
and this library support. A token cannot choose another. An encrypted token is decrypted first, and must contain a
signed token. An asymmetric signature is verified with the issuer's keys, which are fetched again after a rotation. An
HMAC is verified with the client's secret. The claims are checked after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.claim_rules import audiences, check_times
from doorkey.jose.encryption import decrypt_nested, decrypt_token, is_encrypted
from doorkey.jose.encryption_algorithms import DEFAULT_MANAGEMENT, ENCRYPTIONS
from doorkey.jose.errors import DecodeError, InvalidClaimError, UnsupportedAlgorithmError
from doorkey.jose.keys import Key
from doorkey.jose.verification import VerifiedToken, unsafe_header, verify
from doorkey.oidc.core.algorithms import NONE, accepted_algorithms, is_symmetric
from doorkey.oidc.core.expectations import ExpectedIDToken
from doorkey.oidc.core.id_token import IDToken
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.oidc.core.unsigned import is_unsigned, read_unsigned
from doorkey.oidc.logout import LogoutToken
from doorkey.sources.fetched_once.keys import KeyCore
from doorkey.values import Secret, hides_locals
from doorkey.wire.flow import Flow
from doorkey.wire.strict_json import JSONProblem, parse_object

__all__: list[str] = []

ID_TOKEN_ALGORITHMS: Final = "id_token_signing_alg_values_supported"
USERINFO_ALGORITHMS: Final = "userinfo_signing_alg_values_supported"
_OTHER_KINDS: Final = frozenset({"at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The signature and encryption that the client registered for one kind of response. Empty fields: not registered.

    signed: values of `alg` for the signature.
    encrypted: values of `alg` for the encryption.
    content: values of `enc` for the encryption.
    """

    signed: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    content: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IDTokenVerifier:
    """Verifies the tokens that the issuer of `keys` signed for one client.

    keys: the keys of the issuer.
    metadata: the metadata of the issuer, which lists its algorithms.
    clock: returns seconds since the epoch.
    secret: the client's secret, which verifies HMAC signatures (HS256, …); None: the client has no secret.
    id_tokens, userinfo: the registered protection of ID tokens and of UserInfo responses.
    decryption_keys: the client's private keys for encrypted tokens; None: the client has no such keys.
    """

    keys: KeyCore
    metadata: Mapping[str, Any]
    clock: Callable[[], float]
    secret: Secret | None = None
    id_tokens: Protection = field(default=Protection())
    userinfo: Protection = field(default=Protection())
    decryption_keys: object = None

    def id_token(self, token: Secret, expected: ExpectedIDToken) -> Flow[IDToken]:
        """Return the verified claims of an ID token (OpenID Connect Core §3.1.3.7).

        Raises `VerificationError` for an invalid token, `UsageError` if the client lacks the key or secret to check it,
        and the errors of fetching the issuer's keys.
        """
        accepted = accepted_algorithms(self.id_tokens.signed, self.metadata, ID_TOKEN_ALGORITHMS)
        signed = self._decrypted(token, self.id_tokens)
        if is_unsigned(signed.reveal()):
            if NONE not in accepted or expected.response_type is not None:
                raise UnsupportedAlgorithmError("alg", "is not the registered one", expected=_listed(accepted))
            return expected.checked(read_unsigned(signed.reveal()), self.clock())
        return expected.checked((yield from self._verified(signed, accepted)), self.clock())

    def logout_token(
        self, token: Secret, issuer: str | TenantIssuer, client_id: str, leeway: float
    ) -> Flow[LogoutToken]:
        """Return the verified claims of a logout token (Back-Channel Logout 1.0 §2.6).

        `leeway` is the accepted clock skew in seconds. Raises the errors of `id_token`.
        """
        accepted = accepted_algorithms(self.id_tokens.signed, self.metadata, ID_TOKEN_ALGORITHMS)
        verified = yield from self._verified(self._decrypted(token, self.id_tokens), accepted)
        params = {"issuer": issuer, "client_id": client_id}
        claims = LogoutToken(verified.claims, verified.header, None, params)
        claims.validate(self.clock(), leeway)
        return claims

    def user_info(
        self, response: Secret | dict[str, Any], issuer: str | TenantIssuer, client_id: str, leeway: float
    ) -> Flow[Mapping[str, Any]]:
        """Return the claims of a UserInfo `response`, as JSON or a JWT (OpenID Connect Core §5.3.2).

        If a signature or encryption is registered, a response without it is rejected. `leeway` is the accepted clock
        skew in seconds. Raises the errors of `id_token`.
        """
        how = self.userinfo
        if not isinstance(response, Secret):
            if how.signed or how.encrypted:
                raise DecodeError(
                    "userinfo", "is not signed or encrypted as the client registered it", expected="a JWT"
                )
            return response
        if is_encrypted(response.reveal()):
            plain = _opened(response, self._own_keys(), how)
            if isinstance(plain, dict):
                if how.signed:
                    raise DecodeError(
                        "userinfo", "is encrypted but not signed, although the client registered a signature"
                    )
                return plain
            response = plain
        elif how.encrypted:
            raise DecodeError("userinfo", "is not encrypted, although the client registered encryption")
        accepted = accepted_algorithms(how.signed, self.metadata, USERINFO_ALGORITHMS)
        verified = yield from self._verified(response, accepted)
        _check_signed_userinfo(verified, issuer, client_id, self.clock(), leeway)
        return verified.claims

    def _decrypted(self, token: Secret, how: Protection) -> Secret:
        if is_encrypted(token.reveal()):
            return _nested(token, self._own_keys(), how)
        if how.encrypted:
            raise DecodeError("token", "is not encrypted, although the client registered encryption")
        return token

    def _own_keys(self) -> object:
        if self.decryption_keys is None:
            raise UsageError("the token is encrypted: give the client's private key as decryption_keys=")
        return self.decryption_keys

    def _verified(self, token: Secret, accepted: tuple[str, ...]) -> Flow[VerifiedToken]:
        alg = _named_algorithm(token)
        if alg == NONE or alg not in accepted:
            raise UnsupportedAlgorithmError("alg", "is not the registered one", expected=_listed(accepted))
        if is_symmetric(alg):
            if not self.secret:
                raise UsageError(f"{alg} is registered, and this client has no client_secret to verify it with")
            return _checked(self.secret, token=token, alg=alg)
        return (yield from self.keys.checked(partial(_checked, token=token, alg=alg), self.clock))


def _listed(accepted: tuple[str, ...]) -> str:
    return " or ".join(accepted)


@hides_locals
def _named_algorithm(token: Secret) -> str:
    return str(unsafe_header(token.reveal()).get("alg"))


@hides_locals
def _checked(keys: tuple[Key, ...] | Secret, *, token: Secret, alg: str) -> VerifiedToken:
    return verify(token.reveal(), keys, algorithms=(alg,))


def _registered(how: Protection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return how.encrypted or DEFAULT_MANAGEMENT, how.content or tuple(ENCRYPTIONS)


@hides_locals
def _nested(token: Secret, keys: object, how: Protection) -> Secret:
    algorithms, encryptions = _registered(how)
    return Secret(decrypt_nested(token.reveal(), keys, algorithms=algorithms, encryptions=encryptions))


@hides_locals
def _opened(token: Secret, keys: object, how: Protection) -> Secret | dict[str, Any]:
    """Return the signed token, or the claims, that an encrypted UserInfo response contains."""
    algorithms, encryptions = _registered(how)
    content = decrypt_token(token.reveal(), keys, algorithms=algorithms, encryptions=encryptions).plaintext
    if not content.lstrip().startswith(b"{"):
        return Secret(content.decode("latin-1"))  # never fails; the parser of the signed token rejects non-ASCII text
    try:
        return parse_object(content)
    except JSONProblem as problem:
        raise DecodeError("userinfo", f"is not acceptable: {problem}") from None


def _check_signed_userinfo(
    token: VerifiedToken, issuer: str | TenantIssuer, client_id: str, now: float, leeway: float
) -> None:
    """Check that a JWT is a UserInfo response for this client (§5.3.2). A claim that is absent is not checked."""
    typ, claims = str(token.header.get("typ", "JWT")).lower().removeprefix("application/"), token.claims
    if typ in _OTHER_KINDS or "events" in claims:
        raise VerificationError("typ", "belongs to another kind of token", expected="JWT")
    if isinstance(issuer, TenantIssuer):
        if "iss" in claims and not issuer.is_issuer(str(claims["iss"])):
            raise InvalidClaimError("iss", "is not the issuer of a tenant whose users may log in")
    elif claims.get("iss", issuer) != issuer:
        raise InvalidClaimError("iss", "of the userinfo response is another issuer", expected=issuer)
    found = audiences(claims)
    if found and client_id not in found:
        raise InvalidClaimError("aud", "of the userinfo response does not contain this client", expected=client_id)
    check_times(claims, now, leeway)
