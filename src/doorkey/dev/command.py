"""The command that runs the embedded provider: its options, and what it does.

`doorkey dev` and `python -m doorkey.dev` make their command lines from `OPTIONS`.
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

    kind: `str` or `int`; `bool` for a switch. default: its value if it is not given. metavar: its value in the help.
    repeats: whether it may be given several times. alone: its value if it is given without one.
    """

    name: str
    help: str
    kind: type = str
    default: int | str | None = None
    metavar: str | None = None
    repeats: bool = False
    alone: int | None = None


OPTIONS: Final = (
    Option("--port", "to listen at; 0 is any free one (default: 8080)", int, 8080, "PORT"),
    Option("--host", "to listen at (default: 127.0.0.1)", default="127.0.0.1", metavar="HOST"),
    Option("--allow-remote", "permit a --host that other machines reach; the default passwords are public", bool),
    Option("--https", "serve HTTPS with a certificate made at the start", bool),
    Option("--no-page", "serve no control page; there is none either if others can reach the provider", bool),
    Option(
        "--control",
        "let other processes control it, on a port of 127.0.0.1 (default: any free one), with a token that is printed, "
        f"or that {TOKEN_VARIABLE} contains",
        int,
        metavar="PORT",
        alone=0,
    ),
    Option("--public-url", "by which it is reached; needed with --host 0.0.0.0", metavar="URL"),
    Option("--host-name", "by which it is reached too, as in a container; repeatable", metavar="HOST", repeats=True),
    Option(
        "--trusted-proxy",
        "whose X-Forwarded-For names the caller; repeatable",
        metavar="ADDRESS",
        repeats=True,
    ),
    Option("--config", "realms, clients and users", metavar="FILE.toml"),
    Option("--store", "keep sessions and keys here (default: in memory)", metavar="FILE.sqlite"),
    Option("--access-token-lifetime", "in every realm", int, metavar="SECONDS"),
)


def serve(options: Mapping[str, Any], write: Callable[[str], object]) -> None:
    """Run the provider until Ctrl-C or SIGTERM, and pass its description to `write`.

    options: the values of `OPTIONS`, by names with underscores.

    Raises `UsageError` for options that cannot be, an address that is taken, and a bad configuration;
    `MissingLibraryError` without the libraries of the provider.
    """
    with _stopped_by_sigterm(), suppress(KeyboardInterrupt), ExitStack() as left:
        provider = _provider(options).start()
        left.callback(provider.stop)  # also if another Ctrl-C ends the close of the control
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
    """Return what a person needs to know. The secrets are printed: they are for development, and in the docs."""
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
    """Let SIGTERM do what Ctrl-C does, for as long as the block."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def write_to_stdout(text: str) -> None:
    """Write the description where a person or a program reads it."""
    if sys.stdout is None:
        raise UsageError("stdout is closed: the address of the provider would be lost")
    sys.stdout.write(text)
    sys.stdout.flush()
