"""Control of a running provider from another process, over HTTP on loopback.

    with Control(provider) as control:
        control.url, control.token

`doorkey.testing.RemoteProvider` is the client. A request is `POST /OPERATION` with a JSON object of arguments and the
token in `Authorization: Bearer`. The response is `{"result": …}` or `{"error": …}`. The control has its own socket,
which listens only on 127.0.0.1 even if the provider listens beyond loopback. A page in a browser cannot send such a
request, because it does not have the token, and because `Host`, `Origin` and `Content-Type` are checked.
"""

from __future__ import annotations

import inspect
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from doorkey.arguments import count, did_you_mean, nonempty_text
from doorkey.dev.provider import MAX_PORT, Provider
from doorkey.errors import OAuthError, UsageError, printable
from doorkey.values import Secret, hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

HOST: Final = "127.0.0.1"
MAX_BODY: Final = 64 * 1024
MIN_TOKEN: Final = 20
"""The minimum length of a token in characters; a shorter one could be guessed."""

Operation: TypeAlias = Callable[..., object]


def operations_of(provider: Provider) -> Mapping[str, Operation]:
    """Return the operations that another process may call, by name. Arguments and results are JSON."""

    def send_logout_token(**given: Any) -> dict[str, Any]:
        return asdict(provider.send_logout_token(**given))

    def requests(path_end: str = "") -> list[dict[str, Any]]:
        return [asdict(one) for one in provider.requests.to(path_end)]

    def add_fault(path_end: str, **given: Any) -> None:
        if "hold" in given:
            raise UsageError("a fault from another process cannot have hold=, because an event belongs to one process")
        provider.faults.add(path_end, **given)

    return {
        "describe": lambda: _description(provider),
        "token": provider.token,
        "id_token": provider.id_token,
        "logout_token": provider.logout_token,
        "send_logout_token": send_logout_token,
        "end_session": provider.end_session,
        "log_in": provider.log_in,
        "approve_device": provider.approve_device,
        "deny_device": provider.deny_device,
        "advance": provider.advance,
        "clock": provider.clock,
        "rotate_keys": provider.rotate_keys,
        "expire_access_tokens": provider.expire_access_tokens,
        "reject_refresh_tokens": provider.reject_refresh_tokens,
        "add_fault": add_fault,
        "unused_faults": lambda: provider.faults.unused,
        "clear_faults": provider.faults.clear,
        "requests": requests,
        "clear_requests": provider.requests.clear,
    }


class Control:
    """A server by which other processes control a running provider. It listens at once, until `close`.

    provider: the provider to control.
    port: the port to listen on, at 127.0.0.1; 0: any free port.
    token: the token that requests must present, at least 20 characters; None: a random token.

    Raises `UsageError` if the port is in use, and for invalid arguments.
    """

    @hides_locals
    def __init__(self, provider: Provider, *, port: int = 0, token: str | None = None) -> None:
        count(port, "port", least=0, most=MAX_PORT)
        if token is not None and len(nonempty_text(token, "the token of the control")) < MIN_TOKEN:
            raise UsageError(f"the token of the control must have at least {MIN_TOKEN} characters")
        self._secret = Secret(secrets.token_urlsafe(32) if token is None else token)
        try:
            self._server = _Server((HOST, port), operations_of(provider), self._secret)
        except OSError as error:
            raise UsageError(f"cannot listen at {HOST}:{port} ({error.strerror})") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL of this server."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def token(self) -> str:
        """The token as plain text."""
        return self._secret.reveal()

    def close(self) -> None:
        """Stop listening, and wait for the server's thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], operations: Mapping[str, Operation], token: Secret) -> None:
        super().__init__(address, _Handler)
        self.operations = operations
        self.token = token


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


class _Handler(BaseHTTPRequestHandler):
    timeout = 30.0

    def do_POST(self) -> None:
        """Respond to one request."""
        assert isinstance(self.server, _Server)
        try:
            result = self._called(self.server)
            body = json.dumps({"result": result}, allow_nan=False).encode()
        except _Refused as refused:
            self._answer(refused.status, json.dumps({"error": refused.message}).encode())
        except OAuthError as error:
            self._answer(400, json.dumps({"error": error.description or error.error}).encode())
        else:
            self._answer(200, body)

    def _called(self, server: _Server) -> object:
        body = self._body()  # also for a refused call: closing a connection with unread bytes could reset it
        if self.headers.get_all("Host") != [f"{HOST}:{server.server_port}"] or "Origin" in self.headers:
            # From a page in a browser, maybe under another host name (DNS rebinding).
            raise _Refused(403, "the Host header is wrong, or the request comes from a page in a browser")
        scheme, _, presented = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or Secret(presented) != server.token:
            raise _Refused(401, "the token of the control is missing or wrong")
        if self.headers.get_content_type() != "application/json":
            raise _Refused(415, "Content-Type must be application/json")
        name = self.path.removeprefix("/")
        operation = server.operations.get(name)
        if operation is None:
            shown = printable(name, 80)
            raise _Refused(404, f"the control has no operation {shown!r}{did_you_mean(shown, server.operations)}")
        try:
            arguments = parse_object(body)
        except JSONProblem as problem:
            raise _Refused(400, f"the arguments are not a JSON object: {problem}") from None
        try:
            inspect.signature(operation).bind(**arguments)
        except TypeError as error:
            raise _Refused(400, f"{name}: {printable(str(error), 200)}") from None
        return operation(**arguments)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            raise _Refused(411, "Content-Length must be the size of the body in bytes")
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            raise _Refused(413, "the body is longer than 64 KiB")
        return self.rfile.read(int(length))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of its parent
        """Write no log, because an argument may be a secret."""


def _description(provider: Provider) -> dict[str, object]:
    issuers = {name: provider.issuer_of(name) for name in provider.realms}
    ends = ("token", "authorization", "device_authorization", "introspection", "revocation", "userinfo", "end_session")
    endpoints: dict[str, str] = {f"{end}_endpoint": getattr(provider, f"{end}_endpoint") for end in ends}
    return {"issuers": issuers, **endpoints, "jwks_uri": provider.jwks_uri}
