"""Verifies the tokens that an OpenID provider signs for a client: ID tokens, logout tokens, UserInfo responses.

Theory of operation. The algorithm comes from the registration of the client, else from what both sides have; the token
only agrees with it. An encrypted token is decrypted first, and must contain a signed one. A token with an asymmetric
signature is verified with the issuer's keys, which are fetched again after a rotation; an HMAC with the client's
secret. Claims are compared after that.
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
from doorkey.sources.keys import KeyCore
from doorkey.values import Secret, hides_locals
from doorkey.wire.flow import Flow
from doorkey.wire.strict_json import JSONProblem, parse_object

__all__: list[str] = []

ID_TOKEN_ALGORITHMS: Final = "id_token_signing_alg_values_supported"
USERINFO_ALGORITHMS: Final = "userinfo_signing_alg_values_supported"
_OTHER_KINDS: Final = frozenset({"at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The registered protection of one kind of response; an empty field is not registered.

    signed: values of `alg` of the signature.
    encrypted: values of `alg` of the encryption.
    content: values of `enc`.
    """

    signed: tuple[str, ...] = ()
    encrypted: tuple[str, ...] = ()
    content: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IDTokenVerifier:
    """Verifies the tokens that the issuer of `keys` signed for one client.

    keys: the keys of the issuer.
    metadata: the metadata of the issuer, for the algorithms that it lists.
    clock: returns seconds since the epoch.
    secret: the client's secret, for HS*; None for a client that has none.
    id_tokens, userinfo: how the client registered these responses.
    decryption_keys: the client's own keys, None without any.
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

        Raises `VerificationError` for anything wrong with the token, `UsageError` for a key that the client lacks, and
        what fetching the keys raises.
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
        """Return the verified claims of a logout token (Back-Channel Logout 1.0 §2.6). Raises as `id_token` does."""
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

        Where a signature or an encryption is registered, a response without it is refused. Raises as `id_token` does.
        """
        how = self.userinfo
        if not isinstance(response, Secret):
            if how.signed or how.encrypted:
                raise DecodeError("userinfo", "is not protected as it is registered", expected="a JWT")
            return response
        if is_encrypted(response.reveal()):
            plain = _opened(response, self._own_keys(), how)
            if isinstance(plain, dict):
                if how.signed:
                    raise DecodeError("userinfo", "is encrypted and not signed, as it is registered")
                return plain
            response = plain
        elif how.encrypted:
            raise DecodeError("userinfo", "is not encrypted, as it is registered")
        accepted = accepted_algorithms(how.signed, self.metadata, USERINFO_ALGORITHMS)
        verified = yield from self._verified(response, accepted)
        _check_signed_userinfo(verified, issuer, client_id, self.clock(), leeway)
        return verified.claims

    def _decrypted(self, token: Secret, how: Protection) -> Secret:
        if is_encrypted(token.reveal()):
            return _nested(token, self._own_keys(), how)
        if how.encrypted:
            raise DecodeError("token", "is not encrypted, as it is registered")
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
        return Secret(content.decode("latin-1"))  # what is not ASCII fails the check of the signed token's form
    try:
        return parse_object(content)
    except JSONProblem as problem:
        raise DecodeError("userinfo", f"is not acceptable: {problem}") from None


def _check_signed_userinfo(
    token: VerifiedToken, issuer: str | TenantIssuer, client_id: str, now: float, leeway: float
) -> None:
    """Check the claims that make a JWT a UserInfo response for this client: those that it has (§5.3.2)."""
    typ, claims = str(token.header.get("typ", "JWT")).lower().removeprefix("application/"), token.claims
    if typ in _OTHER_KINDS or "events" in claims:
        raise VerificationError("typ", "is that of another kind of token", expected="JWT")
    if isinstance(issuer, TenantIssuer):
        if "iss" in claims and not issuer.is_issuer(str(claims["iss"])):
            raise InvalidClaimError("iss", "is not the issuer of a tenant whose users may log in")
    elif claims.get("iss", issuer) != issuer:
        raise InvalidClaimError("iss", "of the userinfo response is another issuer", expected=issuer)
    found = audiences(claims)
    if found and client_id not in found:
        raise InvalidClaimError("aud", "of the userinfo response does not hold this client", expected=client_id)
    check_times(claims, now, leeway)
