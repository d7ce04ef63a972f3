"""Key files of service accounts."""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
EMAIL = "robot@project-1.iam.gserviceaccount.com"


def written(folder: Path, token_uri: str | None, **members: Any) -> Path:
    path = folder / "key.json"
    file = {"type": "service_account", "client_email": EMAIL, "private_key": PEM, "private_key_id": "key-1"}
    path.write_text(json.dumps({**file, "token_uri": token_uri, **members}))
    return path
