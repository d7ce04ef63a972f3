"""The command that runs the embedded provider: its options and its implementation.

`doorkey dev` and `python -m doorkey.dev` build their command lines from `OPTIONS`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.dev import Control, Provider

TOKEN_VARIABLE: Final = "DOORKEY_CONTROL_TOKEN"  # the name of a variable
SUMMARY: Final = "Run an OpenID provider that emulates Keycloak, for development. Ctrl-C stops it."
LAST_LINE: Final = "For development only: the passwords are public. Ctrl-C stops the provider."


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the command.

    kind: the type of its value, `str` or `int`; `bool` for a switch.
    default: the value if the option is absent.
    metavar: the placeholder of the value in the help.
    repeats: whether the option may be repeated.
    alone: the value if the option is given without a value.
    """

    name: str
    help: str
    kind: type = str
    default: int | str | None = None
    metavar: str | None = None
    repeats: bool = False
    alone: int | None = None


OPTIONS: Final = (
    Option("--port", "port to listen on; 0 is any free port (default: 8080)", int, 8080, "PORT"),
    Option("--host", "address to listen on (default: 127.0.0.1)", default="127.0.0.1", metavar="HOST"),
    Option("--allow-remote", "permit a --host that other machines reach; the default passwords are public", bool),
    Option("--https", "serve HTTPS with a certificate made at the start", bool),
    Option("--no-page", "serve no control page; it is also disabled if other machines can reach the provider", bool),
    Option(
        "--control",
        "let other processes control it, on a port of 127.0.0.1 (default: any free port), with a token that is "
        f"printed, or that {TOKEN_VARIABLE} contains",
        int,
        metavar="PORT",
        alone=0,
    ),
    Option("--public-url", "URL by which clients reach it; needed with --host 0.0.0.0", metavar="URL"),
    Option(
        "--host-name",
        "another host name of it, such as that of its container; repeatable",
        metavar="HOST",
        repeats=True,
    ),
    Option(
        "--trusted-proxy",
        "proxy whose X-Forwarded-For contains the caller's address; repeatable",
        metavar="ADDRESS",
        repeats=True,
    ),
    Option("--config", "file with realms, clients and users", metavar="FILE.toml"),
    Option("--store", "keep sessions and keys in this file (default: in memory)", metavar="FILE.sqlite"),
    Option("--access-token-lifetime", "lifetime of access tokens in every realm", int, metavar="SECONDS"),
)


def serve(options: Mapping[str, Any], write: Callable[[str], object]) -> None:
    """Run the provider until Ctrl-C or SIGTERM, and pass its description to `write`.

    options: the values of `OPTIONS`, by names without the leading dashes and with underscores.
    write: is called once, with a text for the terminal.

    Raises `UsageError` for invalid options, an address in use or an invalid configuration, and `MissingLibraryError` if
    a library of the provider is not installed.
    """
    with _stopped_by_sigterm(), suppress(KeyboardInterrupt), ExitStack() as left:
        provider = _provider(options).start()
        left.callback(provider.stop)  # also if another Ctrl-C interrupts `control.close`
        control = _controlled(provider, options["control"])
        if control is not None:
            left.callback(control.close)
        write(_description(provider, control))
        provider.wait()


def _provider(options: Mapping[str, Any]) -> Provider:
    from doorkey.dev import Provider, read_config
    from doorkey.wire.urls import is_loopback

    found = read_config(options["config"]) if options["config"] else None
    public_url = options["public_url"] or (found.public_url if found else None)
    host_names = options["host_name"] or (found.host_names if found else ())
    trusted_proxies = options["trusted_proxy"] or (found.trusted_proxies if found else ())
    is_private = is_loopback(options["host"]) and not (public_url or host_names or trusted_proxies)
    return Provider(
        clients=found.clients if found else (),
        users=found.users if found else (),
        realms=found.realms if found else None,
        access_token_lifetime=options["access_token_lifetime"],
        store=options["store"],
        host=options["host"],
        port=options["port"],
        allow_remote=options["allow_remote"],
        https=options["https"],
        public_url=public_url,
        host_names=host_names,
        trusted_proxies=trusted_proxies,
        registration=found.registration if found else None,
        initial_access_token=found.initial_access_token if found else None,
        control_page=is_private and not options["no_page"],
    )


def _controlled(provider: Provider, port: int | None) -> Control | None:
    if port is None:
        return None
    from doorkey.dev import Control

    return Control(provider, port=port, token=os.environ.get(TOKEN_VARIABLE))


def _description(provider: Provider, control: Control | None) -> str:
    """Return the text for the terminal. It contains the secrets, which are for development and public in the docs."""
    from doorkey.dev.snippets import snippets

    lines = [f"issuer   {provider.issuer}"]
    lines += [f"         {provider.issuer_of(name)}" for name in provider.realms if name != "master"]
    if provider.control_page is not None:
        lines.append(f"page     {provider.control_page}")
    if control is not None:
        shown = f"the value of {TOKEN_VARIABLE}" if TOKEN_VARIABLE in os.environ else control.token
        lines.append(f"control  {control.url} / {shown}")
    if provider.origin.startswith("https:"):
        lines.append(f"trust    {provider.ca_file}")
    for person in provider.users.values():
        proof = person.password.reveal() if person.password else "by assertion only"
        lines.append(f"user     {person.username} / {proof}")
    for one in provider.clients.values():
        proof = one.secret.reveal() if one.secret else "public" if one.is_public else "signs with its key"
        lines.append(f"client   {one.client_id} / {proof}")
    return "\n".join([*lines, "", snippets(provider), "", LAST_LINE, ""])


@contextmanager
def _stopped_by_sigterm() -> Generator[None]:
    """Let SIGTERM raise `KeyboardInterrupt` like Ctrl-C inside this block."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def write_to_stdout(text: str) -> None:
    """Write `text` to stdout and flush it. Raises `UsageError` if stdout is closed."""
    if sys.stdout is None:
        raise UsageError("stdout is closed, but the address of the provider must be printed: open stdout")
    sys.stdout.write(text)
    sys.stdout.flush()
