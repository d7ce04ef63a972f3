"""A private RSA key is checked when it is read for the first time: that takes 37 ms, and many tests read the same one.

A key of cryptography cannot be changed, so tests can share one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization


def read_once() -> None:
    """Replace the functions that read a PEM and a JWK.

    Call it before anything else imports joserfc, which takes the first function by its name.
    """
    real: Callable[..., Any] = serialization.load_pem_private_key
    checked: set[bytes] = set()

    def load(data: bytes, *args: Any, **kwargs: Any) -> Any:
        known = bytes(data)
        key = real(data, *args, **({"unsafe_skip_rsa_key_validation": True} if known in checked else {}), **kwargs)
        checked.add(known)
        return key

    setattr(serialization, "load_pem_private_key", load)  # noqa: B010  # for the type checkers, it is no variable
    from joserfc._rfc7518.rsa_key import RSABinding  # not before that

    binding: Any = RSABinding
    binding.import_private_key = staticmethod(_remembered(RSABinding.import_private_key))


def _remembered(read: Callable[[Any], Any]) -> Callable[[Mapping[str, str]], Any]:
    keys: dict[frozenset[tuple[str, str]], Any] = {}

    def import_private_key(members: Mapping[str, str]) -> Any:
        try:
            known = frozenset(members.items())
            if known not in keys:
                keys[known] = read(members)
        except TypeError:  # a member is no text
            return read(members)
        return keys[known]

    return import_private_key
