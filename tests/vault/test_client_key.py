"""A vault whose client authenticates with a private key: neither the vault nor its clients send the key."""

from pathlib import Path

from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.servers.signing_keys import rsa_key
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token


def test_a_vault_and_its_clients_sign_with_a_key_that_was_passed_as_client_secret(
    hostile: Hostile, tmp_path: Path
) -> None:
    rsa_key(tmp_path / "key.pem")
    pem = (tmp_path / "key.pem").read_text()
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    hostile.on("/revoke", reply(200))
    hostile.on("/introspect", reply(json={"active": True}))
    with TokenVault(
        MemoryStore(), client_id="c", client_secret=pem, token_endpoint=hostile.token_endpoint, clock=Clock()
    ) as vault:
        vault.save("k", {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1})
        client = vault.client("k")
        assert client.get(hostile.url()).status_code == 200
        client.introspect_token(hostile.url("/introspect"))
        client.revoke_token(hostile.url("/revoke"))
    secret = pem.splitlines()[1]
    for path in ("/token", "/introspect", "/revoke"):
        [request] = hostile.to(path)
        assert request.form["client_assertion"].count(".") == 2
        assert request.header("Authorization") is None
        assert secret not in request.body.decode()
