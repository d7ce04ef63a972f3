"""A login of the command line: its account, its client, and its login method."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from doorkey.cli.accounts import Account, Book
from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.parameters import MAX_NAME
from doorkey.cli.terminal import note, waiting
from doorkey.errors import OAuthError, ServerError
from doorkey.values import Secret
from doorkey.wire.urls import check_endpoint, is_loopback, shown_url, split_url

if TYPE_CHECKING:
    from doorkey.native import MethodChoice, NativeLogin
    from doorkey.native.result import Method
    from doorkey.protocol.device import DeviceAuthorization
    from doorkey.protocol.registered_client import RegisteredClient
    from doorkey.wire.flow import Flow

__all__: list[str] = []

REDIRECT_URI: Final = "http://127.0.0.1/callback"
GRANTS: Final = ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code")


def issuer_url(text: str) -> str:
    """Return the issuer's URL for the text that the user typed.

    A text without a scheme gets https, or http for a loopback host. Raises `UsageError` for an invalid issuer URL.
    """
    if "://" in text:
        return check_endpoint(text, "issuer")
    host = (split_url(f"https://{text}", "issuer").hostname or "") if text else ""
    return check_endpoint(f"{'http' if is_loopback(host) else 'https'}://{text}", "issuer")


def account_name(book: Book, issuer: str) -> str:
    """Return the name for a new login at `issuer`: the name of the account that it has, otherwise its host.

    If another account has that name, return host and path; if that is taken too, append a number.
    """
    for name, account in book.accounts.items():
        if account.issuer == issuer:
            return name
    parts = urlsplit(issuer)
    host = parts.netloc.rpartition("@")[2]
    whole = f"{host}{parts.path}"
    names = chain((host, whole), (f"{whole[: MAX_NAME - 6]}-{number}" for number in count(2)))
    return next(name for name in (one[:MAX_NAME] for one in names) if name not in book.accounts)


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a login."""

    client_id: str
    client_secret: Secret | None = None
    registration_uri: str | None = None
    registration_token: Secret | None = None

    def account(self, name: str, issuer: str, scope: str) -> Account:
        """Return the account of a login with this client."""
        return Account(
            name,
            issuer,
            self.client_id,
            scope,
            self.client_secret,
            registration_uri=self.registration_uri,
            registration_token=self.registration_token,
        )

    def is_of(self, account: Account, issuer: str) -> bool:
        """Return whether this is the client of `account`, and `issuer` is the account's issuer."""
        return (account.issuer, account.client_id) == (issuer, self.client_id)


@contextmanager
def client_of(before: Account | None, issuer: str, client_id: str | None, secret: str | None) -> Generator[Client]:
    """Yield the client of a login. A client that was registered for this login is deleted again if the block raises.

    before: the account that already has this name, or None. Its client is reused if it has the same issuer.
    client_id, secret: the values of the command line. Without a client ID and an account, a client is registered at the
        server (RFC 7591).

    Raises `CommandError` if the server registers no client, and the errors of the server.
    """
    known = before if before is not None and before.issuer == issuer else None
    if client_id is not None and (known is None or known.client_id != client_id or secret is not None):
        yield Client(client_id, Secret(secret) if secret is not None else None)
        return
    if known is not None:
        yield Client(known.client_id, known.client_secret, known.registration_uri, known.registration_token)
        return
    registered = _registered(issuer)
    try:
        yield Client(
            registered.client_id,
            registered.client_secret,
            registered.registration_client_uri,
            registered.registration_access_token,
        )
    except BaseException:
        from doorkey.registration import delete_client

        if registered.registration_client_uri is not None:
            with suppress(OAuthError):
                delete_client(registered)
        raise


def _registered(issuer: str) -> RegisteredClient:
    from doorkey.registration import register_client
    from doorkey.sources import Issuer

    with Issuer(issuer) as server, waiting(f"registering a client at {shown_url(issuer)}"):
        if server.metadata().registration_endpoint is None:
            raise CommandError(
                f"{shown_url(issuer)} does not let programs register themselves: register a public client there, with "
                f"the redirect URI {REDIRECT_URI}, and name it with --client-id",
                ExitStatus.USAGE,
            )
        try:
            return register_client(
                server,
                redirect_uris=[REDIRECT_URI],
                client_name="doorkey",
                grant_types=GRANTS,
                token_endpoint_auth_method="none",
            )
        except ServerError as error:
            raise CommandError(
                f"{shown_url(issuer)} refuses to register a client ({error}): register a public client there, "
                f"with the redirect URI {REDIRECT_URI}, and name it with --client-id",
                ExitStatus.REJECTED,
            ) from error


class Progress:
    """The messages of a login: that the command waits for the server, how to log in, and that it waits for the user."""

    def __init__(self, issuer: str, method: Method | None) -> None:
        self._issuer, self._method = issuer, method
        self._stack = ExitStack()

    def __enter__(self) -> Progress:
        self._wait(f"waiting for {shown_url(self._issuer)}")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def chosen(self, choice: MethodChoice) -> None:
        """Show the reason if another login method than the browser was chosen."""
        self._stack.close()
        self._method = choice.method
        if choice.method != "browser":
            note(choice.reason)

    def show_url(self, url: str) -> None:
        """Show the URL of a login. No progress line is shown while the user pastes a URL."""
        self._stack.close()
        note(f"To log in, open this URL in a browser:\n\n  {url}\n")
        if self._method != "paste":
            self._wait("waiting for the login in the browser (Ctrl-C ends it)")

    def read_pasted(self, prompt: str) -> Flow[str]:
        """Read the URL that the user pastes, then show that the command waits for the server."""
        from doorkey.native.terminal_line import read_line

        self._stack.close()
        pasted = yield from read_line(prompt)
        self._wait(f"waiting for {shown_url(self._issuer)}")
        return pasted

    def show_device(self, device: DeviceAuthorization) -> None:
        """Show the URL, the code and the QR code of a login on another device."""
        from doorkey.native.by_device import show_device

        self._stack.close()
        show_device(device)
        self._wait("waiting for the login on the other device (Ctrl-C ends it)")

    def _wait(self, text: str) -> None:
        self._stack.enter_context(waiting(text))


def log_in(
    issuer: str,
    client: Client,
    scope: str,
    *,
    method: Method | None,
    ports: Iterable[int],
    timeout: float,
    opens_browser: bool,
) -> NativeLogin:
    """Log the user in, and return the tokens. Raises the errors of `doorkey.native`.

    method: "browser", "device" or "paste"; None: the method that fits this machine and the server.
    ports: the loopback ports for the redirect, of which the first free one is used; empty means any free port.
    timeout: seconds for the login in the browser.
    opens_browser: whether to open the URL in a browser.
    """
    from doorkey.native import login

    options: dict[str, Any] = {} if opens_browser else {"open_browser": _leave_closed}
    with Progress(issuer, method) as progress:
        return login(
            issuer,
            client.client_id,
            method=method,
            client_secret=client.client_secret.reveal() if client.client_secret else None,
            scope=scope,
            ports=tuple(ports) or (0,),
            timeout=timeout,
            show=progress.show_url,
            read=progress.read_pasted,
            show_device=progress.show_device,
            show_choice=progress.chosen,
            **options,
        )


def _leave_closed(url: str) -> None:
    """Do nothing: the user opens the printed URL."""
