"""A service account: a key file takes the place of a password, and an assertion is signed for each token."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from doorkey.dev import Provider
from doorkey.integrations.requests_client import AssertionSession
from doorkey.jose import ECKey

ACCOUNT = "https://robots.example"  # at Google: robot@project-1.iam.gserviceaccount.com
key = ECKey.generate_key("P-256", is_private=True)
public_key = {**key.as_dict(is_private=False), "kid": "key-1"}

with Provider(trusted_issuers={ACCOUNT: {"keys": [public_key]}}) as provider, TemporaryDirectory() as folder:
    # The server's administrator gives you this file.
    file = Path(folder) / "key.json"
    contents = {
        "type": "service_account",
        "client_email": ACCOUNT,
        "private_key": key.as_pem(is_private=True).decode(),
        "private_key_id": "key-1",
        "token_uri": provider.token_endpoint,
    }
    file.write_text(json.dumps(contents))
    file.chmod(0o600)

    # Your program:
    with AssertionSession.from_file(
        file,
        subject="robot-7",  # the user that the account acts for
        client_id="assertion-client",  # the embedded provider requires a client too; Google does not
        client_secret="assertion-secret",
    ) as api:
        print("call:", api.get(provider.echo).status_code)
        print("another call:", api.get(provider.echo).status_code)
    print("token requests:", provider.token_requests)
