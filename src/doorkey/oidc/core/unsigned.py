"""ID tokens without a signature, for clients that registered `none` (OpenID Connect Core §2, RFC 7515 Appendix A.5)."""

from __future__ import annotations

from doorkey.errors import VerificationError
from doorkey.jose.verification import VerifiedToken, unsafe_claims, unsafe_header
from doorkey.values import hides_locals


@hides_locals
def read_unsigned(token: str) -> VerifiedToken:
    """Return the header and claims of a token whose `alg` is `none` and whose signature is empty.

    Only for a client that registered `none`, and only for a token that came from the token endpoint over TLS. Raises
    `VerificationError` for anything else.
    """
    if not token.endswith(".") or token.count(".") != 2:
        raise VerificationError("token", "has a signature or another form, although its alg is none")
    legal = token + "AA"  # with any signature, the parser of signed tokens applies all of its rules
    header = unsafe_header(legal)
    if header.get("alg") != "none":
        raise VerificationError("alg", "is not the registered one", expected="none")
    return VerifiedToken(header, unsafe_claims(legal))


def is_unsigned(token: str) -> bool:
    """Say whether a token has the form of one without a signature."""
    return token.endswith(".") and token.count(".") == 2
