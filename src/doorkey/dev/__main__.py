"""`python -m doorkey.dev`: the embedded provider in a terminal."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from doorkey.dev import config
from doorkey.errors import OAuthError

if TYPE_CHECKING:
    from doorkey.dev import Control, Provider

TOKEN_VARIABLE = "DOORKEY_CONTROL_TOKEN"  # the name of a variable


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        from doorkey.dev import Provider  # MissingLibraryError is printed too

        found = config.read_config(options.config) if options.config else None
        provider = Provider(
            clients=found.clients if found else (),
            users=found.users if found else (),
            realms=found.realms if found else None,
            access_token_lifetime=options.access_token_lifetime,
            store=options.store,
            host=options.host,
            port=options.port,
            allow_remote=options.allow_remote,
            https=options.https,
            public_url=options.public_url or (found.public_url if found else None),
            host_names=options.host_name or (found.host_names if found else ()),
            trusted_proxies=options.trusted_proxy or (found.trusted_proxies if found else ()),
            registration=found.registration if found else None,
            initial_access_token=found.initial_access_token if found else None,
        ).start()
    except OAuthError as error:
        return _failed(error)
    signal.signal(signal.SIGTERM, _interrupt)
    control = None
    try:
        control = _controlled(provider, options.control)
        sys.stdout.write(_description(provider, control) + "\n")
        sys.stdout.flush()
        provider.wait()
    except KeyboardInterrupt:
        pass
    except OAuthError as error:
        return _failed(error)
    finally:
        if control is not None:
            control.close()
        provider.stop()
    return 0


def _failed(error: OAuthError) -> int:
    sys.stderr.write(f"doorkey.dev: {error.description}\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m doorkey.dev",
        description="An OpenID provider that emulates Keycloak, for this machine. Ctrl-C stops it.",
        epilog=config.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8080, help="to listen at; 0 is any free one (default: 8080)")
    parser.add_argument("--host", default="127.0.0.1", help="to listen at (default: 127.0.0.1)")
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let --host be beyond this machine; the default passwords are public, so think twice",
    )
    parser.add_argument("--https", action="store_true", help="serve HTTPS with a certificate made at the start")
    parser.add_argument(
        "--control",
        metavar="PORT",
        type=int,
        nargs="?",
        const=0,
        help="let other processes control it, on a port of 127.0.0.1 (default: any free one), with a token that is "
        f"printed, or that {TOKEN_VARIABLE} contains",
    )
    parser.add_argument("--public-url", metavar="URL", help="by which it is reached; needed with --host 0.0.0.0")
    parser.add_argument(
        "--host-name", metavar="HOST", action="append", help="by which it is reached too, as in a container; repeatable"
    )
    parser.add_argument(
        "--trusted-proxy", metavar="ADDRESS", action="append", help="whose X-Forwarded-For names the caller; repeatable"
    )
    parser.add_argument("--config", metavar="FILE.toml", help="realms, clients and users; its keys are below")
    parser.add_argument("--store", metavar="FILE.sqlite", help="keep sessions and keys here (default: in memory)")
    parser.add_argument("--access-token-lifetime", type=int, metavar="SECONDS", help="in every realm")
    return parser


def _controlled(provider: Provider, port: int | None) -> Control | None:
    if port is None:
        return None
    from doorkey.dev import Control

    return Control(provider, port=port, token=os.environ.get(TOKEN_VARIABLE))


def _description(provider: Provider, control: Control | None) -> str:
    """Return what a person needs to know. The secrets are printed: they are for development, and in the docs."""
    lines = [f"issuer   {provider.issuer}"]
    lines += [f"         {provider.issuer_of(name)}" for name in provider.realms if name != "master"]
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
    return "\n".join(lines)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
