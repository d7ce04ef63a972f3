"""Reads the key file of a service account of Google Cloud: a JSON object of type `service_account`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from doorkey.errors import UsageError, printable
from doorkey.values import Secret, hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

TYPE: Final = "service_account"
_PEM: Final = "PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account.

    client_email: the name of the account, which is the `iss` of its assertions.
    private_key: the PEM text of its private key.
    private_key_id: the `kid` of that key, or None.
    token_uri: the URL of the token endpoint, or None.
    """

    client_email: str
    private_key: Secret
    private_key_id: str | None = None
    token_uri: str | None = None


@hides_locals
def parse_service_account(data: bytes, *, needs_token_uri: bool = True) -> ServiceAccount:
    """Return the service account in `data`, the content of a key file.

    needs_token_uri: True to reject a file without `token_uri`.

    Raises `UsageError` for an invalid file. The error shows no value of the file but its `type`.
    """
    try:
        members = parse_object(data)
    except JSONProblem:
        raise UsageError("it is not a JSON object: download the key in the JSON format") from None
    kind = members.get("type")
    if kind != TYPE:
        named = f"of type {printable(kind, 40)!r}" if isinstance(kind, str) else "without a type"
        raise UsageError(f"it is a credential {named}: a service account's key has the type {TYPE!r}")
    private_key = _text(members, "private_key")
    if private_key is None or _PEM not in private_key:
        raise UsageError("its private_key is not a private key in PEM")
    client_email, token_uri = _text(members, "client_email"), _text(members, "token_uri")
    if client_email is None:
        raise UsageError("it has no client_email")
    if token_uri is None and needs_token_uri:
        raise UsageError("it has no token_uri: give the authorization server as issuer=")
    return ServiceAccount(client_email, Secret(private_key), _text(members, "private_key_id"), token_uri)


def _text(members: dict[str, Any], name: str) -> str | None:
    """Return the text of a member; None if it is absent or empty. Raises `UsageError` for anything else."""
    value: object = members.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"its {name} is not a text")
    return value or None
