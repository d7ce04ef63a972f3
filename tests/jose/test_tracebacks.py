"""An error about a key carries no key: collectors of errors show the local variables of each frame."""

import traceback
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorkey.errors import OAuthError
from doorkey.jose import jwt
from doorkey.jose.keys import import_key, import_key_set, import_keys
from doorkey.jose.verification import verify

PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode("ascii")
)
PART = PEM.splitlines()[3]
BROKEN = PEM.replace(PEM.splitlines()[1], "")
UNSIGNED = "eyJhbGciOiJub25lIn0.e30.AAAA"

CALLS: dict[str, Callable[[], object]] = {
    "jwt.encode": lambda: jwt.encode({"alg": "ES256"}, {}, PEM),
    "jwt.decode": lambda: jwt.decode(UNSIGNED, PEM),
    "verify": lambda: verify(UNSIGNED, PEM, algorithms=["RS256"]),
    "import_key": lambda: import_key(BROKEN),
    "import_keys": lambda: import_keys([BROKEN]),
    "import_key_set": lambda: import_key_set(BROKEN),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_the_frames_of_a_failed_call_hold_no_private_key(call: str) -> None:
    with pytest.raises(OAuthError) as raised:
        CALLS[call]()
    error: BaseException | None = raised.value
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if not str(frame.f_globals.get("__name__")).startswith("tests."):
                assert PART not in repr(frame.f_locals), frame.f_code.co_qualname
        error = error.__cause__ or error.__context__
