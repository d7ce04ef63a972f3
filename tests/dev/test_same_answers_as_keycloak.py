"""Our provider and the real Keycloak, asked the same: the recorded answers are the real one's."""

from collections.abc import Iterator
from typing import Any

import pytest

from doorkey.dev import Provider
from tests.recordings.compare import differences, recorded
from tests.recordings.realm import ROBOTS, Realm
from tests.recordings.scenarios import SCENARIOS, run
from tests.servers.signing_keys import rsa_jwk, rsa_key

# What only Keycloak says of itself in its tokens, and the name of the grant that only our tokens hold.
TOKENS = ("claims.prov", "claims.aud_x", "claims.clientHost", "claims.clientAddress", "claims.gid")
ALLOWED: dict[str, tuple[str, ...]] = {
    # We say what we do; test_discovery_promises_only_what_keycloak_promises_too compares the rest.
    "discovery document": ("body.*",),
    # Keycloak has certificates, and a second key for encryption.
    "keys": ("body.keys",),
    # A refresh token is introspected as what it is, not as the access token it could bring.
    "introspection of a refresh token": ("body.*",),
}


def stricter(expected: dict[str, Any]) -> list[str]:
    """Headers we send where Keycloak does not: no answer is cached, and 401 names the way to authenticate.

    RFC 6749 §5.2 and RFC 9110 §15.5.2 ask for the challenge.
    """
    sent = expected.get("headers", {})
    return ["headers.cache-control", "headers.pragma"] + (
        [] if "www-authenticate" in sent else ["headers.www-authenticate"]
    )


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    keys = tmp_path_factory.mktemp("keys")
    jwk = rsa_jwk(rsa_key(keys / "rs256.pem"), "rs256")
    with Provider(trusted_issuers={ROBOTS: {"keys": [jwk]}}) as provider:
        realm = Realm(provider.origin, keys=keys)
        with realm.http:
            yield realm


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_provider_answers_as_keycloak_does(name: str, realm: Realm) -> None:
    expected: dict[str, Any] = recorded()[name]
    assert differences(expected, run(name, realm), [*stricter(expected), *TOKENS, *ALLOWED.get(name, ())]) == []
