"""Claims that are encrypted and not signed, for a `JsonWebToken` with registered encryption algorithms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from doorkey.errors import UsageError, scrubbed
from doorkey.jose.encryption import decrypt_token, encrypt
from doorkey.jose.errors import DecodeError
from doorkey.jose.json_web_encryption import EncryptionAlgorithms
from doorkey.jose.verification import VerifiedToken
from doorkey.values import hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object


@hides_locals
def encrypt_claims(
    claims: Mapping[str, object], key: object, header: Mapping[str, Any], algorithms: EncryptionAlgorithms
) -> str:
    """Return `claims` as a compact JWE with the `alg` and `enc` of `header`. Raises the `UsageError` of `encrypt`."""
    alg, enc = algorithms.checked(header)
    try:
        payload = json.dumps(dict(claims), separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"the token cannot be encrypted ({type(error).__name__})") from scrubbed(error)
    return encrypt(payload, key, alg=alg, enc=enc, header={"typ": "JWT", **header})


@hides_locals
def decrypt_claims(token: str, keys: object, algorithms: EncryptionAlgorithms) -> VerifiedToken:
    """Return the header and the claims of a compact JWE. Raises the errors of `decrypt_token`."""
    opened = decrypt_token(token, keys, algorithms=algorithms.accepted(), encryptions=algorithms.encryptions)
    if "cty" in opened.header:
        raise DecodeError("cty", "states that the content is not claims; decrypt_nested returns a nested signed token")
    try:
        return VerifiedToken(opened.header, parse_object(opened.plaintext))
    except JSONProblem as problem:
        raise DecodeError("token", f"is not acceptable: {problem}") from None
