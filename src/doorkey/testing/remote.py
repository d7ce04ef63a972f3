"""A provider that runs in another process, controlled by this one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, Self

from doorkey import arguments
from doorkey.arguments import nonempty_text, texts
from doorkey.dev.faults import UnusedFault
from doorkey.dev.local_http import sent
from doorkey.dev.logout_calls import LogoutCall
from doorkey.dev.lookup import DEFAULT_CLIENT, lookup
from doorkey.errors import InvalidResponse, UsageError
from doorkey.server.option_names import suggests_names
from doorkey.values import Secret, hides_locals
from doorkey.wire.messages import Request
from doorkey.wire.strict_json import JSONProblem, parse_object
from doorkey.wire.urls import is_loopback, split_url

SECONDS = 60.0
DEFAULT_REALM = "master"


class RemoteProvider:
    """Controls a provider that `python -m doorkey.dev --control` runs in another process.

    It is a context manager. Like `doorkey.testing.Provider`, it raises `UnusedFault` at the end of the block if a fault
    was never triggered. Its methods are those of `Provider`, with the same parameters and errors. Each call, also of
    the constructor, raises `TransportError` if the provider does not respond.

    url, token: the URL and the token that this command prints.

    Raises `UsageError` for a URL that is not on loopback.
    """

    @hides_locals
    def __init__(self, url: str, token: str) -> None:
        parts = split_url(url, "URL of the control")
        if parts.scheme != "http" or not is_loopback(parts.hostname or "") or parts.port is None:
            raise UsageError("the URL of the control must have a port on loopback, such as http://127.0.0.1:8081")
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._address = (parts.hostname or "", parts.port)
        self._token = Secret(nonempty_text(token, "the token of the control"))
        self.faults = RemoteFaults(self)
        described = self.call("describe")
        self._issuers: Mapping[str, str] = described.pop("issuers")
        self.endpoints: Mapping[str, str] = described
        """The endpoints of realm `master` by their names in metadata, such as `token_endpoint`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.faults.check_all_used()

    @property
    def issuer(self) -> str:
        """The issuer of realm `master`."""
        return self.issuer_of(DEFAULT_REALM)

    def issuer_of(self, realm: str) -> str:
        """Return the issuer of `realm`. Raises `UsageError` for an unknown realm."""
        return lookup(realm, self._issuers, "realm")

    def token(
        self,
        username: str | None = None,
        *,
        client_id: str = DEFAULT_CLIENT,
        scopes: str | Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
        audience: str | Iterable[str] | None = None,
        expires_in: float | None = None,
        key: object = None,
        realm: str = DEFAULT_REALM,
        rfc9068: bool | None = None,
    ) -> str:
        """Return a new access token with these properties; see `Provider.token`. `key` is a JWK or PEM."""
        several = {
            "scopes": texts(scopes, "scopes"),
            "audience": None if audience is None else texts(audience, "audience"),
        }
        given = {"client_id": client_id, **several, "claims": claims, "realm": realm}
        order = {"username": username, "expires_in": expires_in, "key": key, "rfc9068": rfc9068}
        return str(self.call("token", **given, **order))

    def id_token(
        self,
        username: str,
        *,
        client_id: str = DEFAULT_CLIENT,
        nonce: str | None = None,
        claims: Mapping[str, Any] | None = None,
        expires_in: float | None = None,
        key: object = None,
        access_token: str | None = None,
        code: str | None = None,
        realm: str = DEFAULT_REALM,
    ) -> str:
        """Return a new ID token with these properties; see `Provider.id_token`. `key` is a JWK or PEM."""
        given = {"client_id": client_id, "nonce": nonce, "claims": claims, "expires_in": expires_in, "realm": realm}
        with_it = {"username": username, "key": key, "access_token": access_token, "code": code}
        return str(self.call("id_token", **given, **with_it))

    def logout_token(
        self,
        username: str | None = None,
        *,
        client_id: str = DEFAULT_CLIENT,
        sid: str | None = None,
        claims: Mapping[str, Any] | None = None,
        expires_in: float | None = None,
        key: object = None,
        realm: str = DEFAULT_REALM,
    ) -> str:
        """Return a new logout token for a client; see `Provider.logout_token`. `key` is a JWK or PEM."""
        given = {"client_id": client_id, "sid": sid, "claims": claims, "expires_in": expires_in, "realm": realm}
        return str(self.call("logout_token", username=username, key=key, **given))

    def send_logout_token(
        self,
        username: str | None = None,
        *,
        client_id: str,
        sid: str | None = None,
        claims: Mapping[str, Any] | None = None,
        key: object = None,
        realm: str = DEFAULT_REALM,
    ) -> LogoutCall:
        """Post a new logout token to a client, and return the outcome; see `Provider.send_logout_token`."""
        given = {"client_id": client_id, "sid": sid, "claims": claims, "key": key, "realm": realm}
        return LogoutCall(**self.call("send_logout_token", username=username, **given))

    def end_session(self, session_id: str, *, realm: str = DEFAULT_REALM) -> bool:
        """End a session and notify its clients; see `Provider.end_session`. Return whether the session existed."""
        return self.call("end_session", session_id=session_id, realm=realm) is True

    def log_in(self, url: str, username: str, password: str | None = None) -> str:
        """Log a user in for an authorization request, and return the callback URL; see `Provider.log_in`."""
        return str(self.call("log_in", url=url, username=username, password=password))

    def approve_device(
        self, user_code: str, username: str, password: str | None = None, *, realm: str = DEFAULT_REALM
    ) -> None:
        """Log a user in on the page for device codes, and allow the device; see `Provider.approve_device`."""
        self.call("approve_device", user_code=user_code, username=username, password=password, realm=realm)

    def deny_device(
        self, user_code: str, username: str, password: str | None = None, *, realm: str = DEFAULT_REALM
    ) -> None:
        """Log a user in on the page for device codes, and refuse the device; see `Provider.deny_device`."""
        self.call("deny_device", user_code=user_code, username=username, password=password, realm=realm)

    def advance(self, seconds: float) -> None:
        """Move the provider's clock forward by `seconds`."""
        self.call("advance", seconds=seconds)

    def clock(self) -> float:
        """Return the provider's time in POSIX seconds."""
        return arguments.seconds(self.call("clock"), "the provider's clock")

    def rotate_keys(self, *, realm: str = DEFAULT_REALM, withdraw: bool = False) -> None:
        """Sign with new keys from now on; see `Provider.rotate_keys`. `withdraw` removes the earlier keys."""
        self.call("rotate_keys", realm=realm, withdraw=withdraw)

    def expire_access_tokens(self) -> None:
        """Revoke all access tokens that were issued so far, in all realms."""
        self.call("expire_access_tokens")

    def reject_refresh_tokens(self) -> None:
        """Reject all refresh tokens that were issued so far, in all realms."""
        self.call("reject_refresh_tokens")

    def requests(self, path_end: str = "") -> list[dict[str, Any]]:
        """Return the requests whose path ends in `path_end`, as mappings with the members of a `LoggedRequest`."""
        found: list[dict[str, Any]] = self.call("requests", path_end=path_end)
        return found

    def clear_requests(self) -> None:
        """Delete the record of all requests so far."""
        self.call("clear_requests")

    def call(self, operation: str, /, **values: object) -> Any:
        """Call an operation of the provider, and return its result.

        operation: the name of the operation.
        values: its arguments, as JSON values.

        Raises `UsageError` for invalid arguments, `TransportError`, and `InvalidResponse`.
        """
        try:
            body = json.dumps(values, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise UsageError(f"the arguments of {operation} must be JSON, because another process gets them") from None
        headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {self._token.reveal()}"))
        request = Request("POST", f"{self._base}/{operation}", headers, body=body.encode())
        response = sent(request, self._address, None, SECONDS)
        try:
            answer = parse_object(response.body)
        except JSONProblem as problem:
            raise InvalidResponse("control", f"the response of the control is not JSON: {problem}") from None
        if response.status != 200:
            raise UsageError(str(answer.get("error")))
        return answer["result"]


class RemoteFaults:
    """The faults of a `provider` in another process."""

    def __init__(self, provider: RemoteProvider) -> None:
        self._provider = provider

    @suggests_names("a fault")
    def add(
        self,
        path_end: str,
        *,
        grant_type: str | None = None,
        status: int | None = None,
        body: str = "",
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        drip: float | None = None,
        reset: Literal["before", "after"] | None = None,
    ) -> None:
        """Add a fault for the next `times` requests. The parameters are those of `Faults.add`."""
        fault = {"grant_type": grant_type, "status": status, "body": body, "headers": headers or {}, "times": times}
        self._provider.call("add_fault", path_end=path_end, drip=drip, reset=reset, **fault)

    @property
    def unused(self) -> tuple[str, ...]:
        """Descriptions of the faults that no request has triggered yet."""
        return tuple(self._provider.call("unused_faults"))

    def check_all_used(self) -> None:
        """Raise `UnusedFault` if there are faults that no request has triggered."""
        if unused := self.unused:
            raise UnusedFault(f"no request triggered {'; '.join(unused)}")

    def clear(self) -> None:
        """Remove the faults that no request has triggered yet."""
        self._provider.call("clear_faults")
