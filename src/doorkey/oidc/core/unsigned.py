"""ID tokens without a signature, for clients that registered `none` (OpenID Connect Core §2, RFC 7515 Appendix A.5)."""

from __future__ import annotations

from doorkey.errors import VerificationError
from doorkey.jose.verification import VerifiedToken, unsafe_claims, unsafe_header
from doorkey.values import hides_locals


@hides_locals
def read_unsigned(token: str) -> VerifiedToken:
    """Return the header and claims of a token whose `alg` is `none` and whose signature is empty.

    Call it only for a client that registered `none`, and only for a token that came from the token endpoint over TLS.
    Raises `VerificationError` for any other token.
    """
    if not token.endswith(".") or token.count(".") != 2:
        raise VerificationError("token", "must be a JWT with an empty signature, because its alg is none")
    legal = token + "AA"  # any signature makes the parser for signed tokens accept the form and apply its other rules
    header = unsafe_header(legal)
    if header.get("alg") != "none":
        raise VerificationError("alg", "is not the registered one", expected="none")
    return VerifiedToken(header, unsafe_claims(legal))


def is_unsigned(token: str) -> bool:
    """Return whether `token` has the form of a JWT with an empty signature."""
    return token.endswith(".") and token.count(".") == 2
