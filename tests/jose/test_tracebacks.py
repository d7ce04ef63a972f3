"""An error about a key carries no key: collectors of errors show the local variables of each frame."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorkey.errors import OAuthError
from doorkey.jose import ECKey, JsonWebKey, KeySet, RSAKey, jwt
from doorkey.jose.encryption import decrypt, encrypt
from doorkey.jose.keys import import_key, import_key_set, import_keys, import_own_keys
from doorkey.jose.verification import verify
from tests.support.tracebacks import local_variables

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
    "import_own_keys": lambda: import_own_keys([BROKEN]),
    "RSAKey.import_key": lambda: RSAKey.import_key(BROKEN),
    "ECKey.import_key": lambda: ECKey.import_key(PEM),
    "JsonWebKey.import_key": lambda: JsonWebKey.import_key(PEM, {"kty": "EC"}),
    "KeySet": lambda: KeySet([BROKEN]),
    "Key.as_pem": lambda: RSAKey.import_key(PEM).as_pem(password=PART),
    "encrypt": lambda: encrypt(PART, PEM, alg="ECDH-ES", enc="A128GCM"),
    "decrypt": lambda: decrypt("AA.A.A.A.A", PEM, algorithms=["RSA-OAEP"]),
    "decrypt with a key that does not fit": lambda: decrypt(
        encrypt("x", b"s" * 16, alg="A128KW", enc="A128GCM"), PEM, algorithms=["A128KW"]
    ),
    "import_key_set": lambda: import_key_set(BROKEN),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_the_frames_of_a_failed_call_hold_no_private_key(call: str) -> None:
    with pytest.raises(OAuthError) as raised:
        CALLS[call]()
    assert PART not in local_variables(raised.value)
