"""The errors of tokens: a subclass of `VerificationError` for each kind of failed check, with the names of Authlib.

    VerificationError (doorkey.errors)   .claim .reason .expected
    ├─ DecodeError                 the token does not have the legal form
    ├─ UnsupportedAlgorithmError   the token names an algorithm that is not registered
    ├─ BadSignatureError           no key verifies the signature
    ├─ ExpiredTokenError           the time is after `exp`
    ├─ NotYetValidError            the time is before `nbf` or `iat`
    ├─ MissingClaimError           a required claim is missing
    └─ InvalidClaimError           a claim has the wrong type or value

Other checks of a token, such as that of `typ` or `kid`, raise `VerificationError`: catch this class. An invalid key or
argument raises `UsageError`. The other names of this module are the same classes under Authlib's names.
"""

from __future__ import annotations

from doorkey.errors import OAuthError, UsageError, VerificationError

__all__ = ["BadSignatureError", "DecodeError", "ExpiredTokenError", "InsecureClaimError", "InvalidClaimError"]
__all__ += ["InvalidCritHeaderParameterNameError", "InvalidHeaderParameterNameError", "InvalidTokenError"]
__all__ += ["InvalidUseError", "JoseError", "KeyMismatchError", "MissingAlgorithmError", "MissingClaimError"]
__all__ += ["MissingEncryptionAlgorithmError", "NotYetValidError", "UnsupportedAlgorithmError"]
__all__ += ["UnsupportedCompressionAlgorithmError", "UnsupportedEncryptionAlgorithmError"]


class DecodeError(VerificationError):
    """A token does not have the legal form: its parts, its base64url, its JSON or its header (RFC 7515 §5.2)."""

    code = "decode_error"


class UnsupportedAlgorithmError(VerificationError):
    """A token names an algorithm that is not registered for it (RFC 8725 §3.1)."""

    code = "unsupported_algorithm"


class BadSignatureError(VerificationError):
    """No key verifies the signature of a token (RFC 7515 §5.2)."""

    code = "bad_signature"


class ExpiredTokenError(VerificationError):
    """The time is after the `exp` of a token (RFC 7519 §4.1.4)."""

    code = "expired_token"


class NotYetValidError(VerificationError):
    """The time is before the `nbf` or the `iat` of a token (RFC 7519 §4.1.5, §4.1.6)."""

    code = "not_yet_valid"


class MissingClaimError(VerificationError):
    """A required claim is missing (RFC 7519 §4.1)."""

    code = "missing_claim"


class InvalidClaimError(VerificationError):
    """A claim has the wrong type, or not the expected value (RFC 7519 §4.1)."""

    code = "invalid_claim"


JoseError = OAuthError
"""The base class of all errors here: those of tokens, and those of keys and arguments."""
InvalidTokenError = NotYetValidError
MissingAlgorithmError = UnsupportedAlgorithmError
MissingEncryptionAlgorithmError = UnsupportedAlgorithmError
UnsupportedEncryptionAlgorithmError = UnsupportedAlgorithmError
UnsupportedCompressionAlgorithmError = UnsupportedAlgorithmError
InvalidHeaderParameterNameError = DecodeError
InvalidCritHeaderParameterNameError = DecodeError
KeyMismatchError = UsageError
InvalidUseError = UsageError
InsecureClaimError = UsageError
