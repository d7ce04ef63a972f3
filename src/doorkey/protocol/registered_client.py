"""A client that a server has registered, as a value to store (RFC 7591 §3.2.1, RFC 7592 §3)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.arguments import instance, mapping, nonempty_text, seconds
from doorkey.errors import UsageError
from doorkey.tokens import legal_refresh_token, legal_token
from doorkey.values import RedactedDict, Secret, ShownDefaults, constructor_clears_locals, hides_locals
from doorkey.wire.urls import check_endpoint

ISSUED: Final = (
    *("client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at"),
    *("registration_client_uri", "registration_access_token"),
)
"""The members of a registration response that the server issues. The other members are the client's metadata."""
MAX_TEXT: Final = 4096
"""The largest number of characters of an identifier, a secret or a token that a server issues."""


@constructor_clears_locals
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client that an authorization server has registered.

    client_id: the client's ID.
    client_secret: the client's secret; None for a client without a secret.
    client_id_issued_at: seconds since the epoch, or None.
    client_secret_expires_at: seconds since the epoch; None for a secret that does not expire.
    registration_client_uri: the URL at which the registration is read, updated and deleted, or None.
    registration_access_token: the token of these requests, or None.
    metadata: the other members of the response: the registered metadata, which may differ from the request.
    issuer: the issuer of the server, or None. The secrets are for this server only.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for a value of another type, and for an invalid URL (RFC 7592 §3).
    """

    __signature__ = ShownDefaults()

    client_id: str
    client_secret: Secret | None = None
    client_id_issued_at: float | None = None
    client_secret_expires_at: float | None = None
    registration_client_uri: str | None = None
    registration_access_token: Secret | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    issuer: str | None = None
    http_hosts: Collection[str] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        if not legal_refresh_token(self.client_id) or len(self.client_id) > MAX_TEXT:
            raise UsageError(f"client_id must be text of 1 to {MAX_TEXT} printable ASCII characters")
        for name, is_legal in (("client_secret", legal_refresh_token), ("registration_access_token", legal_token)):
            secret: object = getattr(self, name)
            if secret is not None:
                value = instance(secret, Secret, f"{name} must be a doorkey.Secret").reveal()
                if not is_legal(value) or len(value) > MAX_TEXT:
                    del value
                    raise UsageError(f"{name} must be text of 1 to {MAX_TEXT} visible ASCII characters")
        for name in ("client_id_issued_at", "client_secret_expires_at"):
            moment: object = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, seconds(moment, f"{name}, since the epoch,"))
        if self.registration_client_uri is not None:
            check_endpoint(self.registration_client_uri, "registration_client_uri", self.http_hosts)
        if self.issuer is not None:
            nonempty_text(self.issuer, "the issuer")
        object.__setattr__(self, "metadata", RedactedDict(mapping(self.metadata, "metadata")))

    def issued(self) -> dict[str, Any]:
        """Return the values that the server issued, by the names of the response. The secrets are in the clear."""
        values = {
            name: value.reveal() if isinstance(value, Secret) else value
            for name in ISSUED
            if (value := getattr(self, name)) is not None
        }
        return RedactedDict(values)

    def to_dict(self) -> dict[str, Any]:
        """Return the client as a dictionary of JSON values. The secrets are in the clear: store it like a password."""
        named_issuer = {} if self.issuer is None else {"issuer": self.issuer}
        return {"metadata": json.loads(json.dumps(dict(self.metadata))), **self.issued(), **named_issuer}

    @classmethod
    @hides_locals
    def from_dict(cls, members: Mapping[str, Any], *, http_hosts: Collection[str] = ()) -> RegisteredClient:
        """Return the client in `members`, a result of `to_dict()`.

        http_hosts: hosts beside loopback that plain http may reach.

        Raises `UsageError` for members that are not such a result.
        """
        given = dict(mapping(members, "a stored client"))
        metadata = mapping(given.pop("metadata", {}), "the metadata of a stored client")
        issuer = given.pop("issuer", None)
        if given.keys() - set(ISSUED):
            raise UsageError("a stored client has a member that to_dict() does not write")
        return cls.of_members({**metadata, **given}, issuer=issuer, http_hosts=http_hosts)

    @classmethod
    @hides_locals
    def of_members(
        cls, members: Mapping[str, Any], *, issuer: str | None = None, http_hosts: Collection[str] = ()
    ) -> RegisteredClient:
        """Return the client in the `members` of a registration response (RFC 7591 §3.2.1).

        issuer: the issuer of the server, or None.
        http_hosts: hosts beside loopback that plain http may reach.

        An empty secret means a client without a secret, and a `client_secret_expires_at` of 0 means that it does not
        expire. Raises `UsageError` for a member of the wrong type.
        """
        issued: dict[str, Any] = {name: members[name] for name in ISSUED if members.get(name) not in (None, "")}
        for name in ("client_secret", "registration_access_token"):
            if name in issued:
                issued[name] = Secret(issued[name])
        if issued.get("client_secret_expires_at") == 0:
            del issued["client_secret_expires_at"]
        others = {name: value for name, value in members.items() if name not in ISSUED}
        return cls(
            client_id=issued.pop("client_id", ""), **issued, metadata=others, issuer=issuer, http_hosts=http_hosts
        )
