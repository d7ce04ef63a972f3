"""Sign in with Apple: a client secret that the program signs, and the name that is sent at the first login only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorkey.arguments import nonempty_text
from doorkey.errors import UsageError
from doorkey.protocol.assertion_signer import AssertionSigner
from doorkey.protocol.client_identity import ClientIdentity, Headers, Signed
from doorkey.protocol.client_parameters import add_parameters
from doorkey.values import NotPicklable, clears_locals, hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

ISSUER: Final = "https://appleid.apple.com"
LIFETIME: Final = 300
"""The lifetime of a client secret in seconds. Apple accepts up to six months; each request has a new secret."""
MAX_USER: Final = 4096
_NAMES: Final = {"firstName": "given_name", "lastName": "family_name"}


class AppleClientSecret(NotPicklable):
    """The client authentication of Sign in with Apple: `client_secret` is a JWT that the program signs.

    team_id: the ID of the developer team, 10 characters.
    key_id: the ID of the key.
    private_key: the key in the file ``AuthKey_….p8`` (PEM), on P-256.

    Pass it as `token_endpoint_auth_method`. Each token request has a new JWT, so the secret never has to be renewed.
    Raises `UsageError` for an invalid argument or key. Source: developer.apple.com, "Creating a client secret".
    """

    @clears_locals
    def __init__(self, *, team_id: str, key_id: str, private_key: object) -> None:
        self._team_id = nonempty_text(team_id, "team_id")
        if private_key is None:
            raise UsageError("private_key is missing: give the text of the file AuthKey_….p8")
        self._signer = AssertionSigner(key=private_key, alg="ES256", kid=nonempty_text(key_id, "key_id"))
        self._signer.keys.of(private_key).check("ES256", "sign")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @hides_locals
    def __call__(self, client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        """Return the request with the client's ID and a new secret in its body."""
        if method == "GET":
            raise UsageError("Apple's client secret is sent in the request body: use POST")
        issued = int(client.now)
        claims = {
            "iss": self._team_id,
            "iat": issued,
            "exp": issued + LIFETIME,
            "aud": ISSUER,
            "sub": client.client_id,
        }
        secret = self._signer.sign(claims)
        assert isinstance(secret, str), "a key signs at once"
        return uri, headers, add_parameters(uri, body, client_id=client.client_id, client_secret=secret)


def apple_options(team_id: str, key_id: str, private_key: object) -> dict[str, Any]:
    """Return the fields of the preset that depend on the key."""
    method = AppleClientSecret(team_id=team_id, key_id=key_id, private_key=private_key)
    return {"token_endpoint_auth_method": method}


def apple_callback_claims(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the names in the parameter `user` of the callback, which Apple sends at the first login only.

    The browser sends it without a signature, so it is a name to display, not an identity. Its email address is ignored,
    because the ID token has a verified address.
    """
    user = params.get("user")
    if not isinstance(user, str) or len(user) > MAX_USER:
        return {}
    try:
        name = parse_object(user.encode("utf-8", "replace")).get("name")
    except JSONProblem:
        return {}
    if not isinstance(name, Mapping):
        return {}
    given: dict[str, str] = {}
    for theirs, ours in _NAMES.items():
        value: object = name.get(theirs)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(value, str) and value.strip():
            given[ours] = value.strip()
    return {**given, "name": " ".join(given.values())} if given else {}
