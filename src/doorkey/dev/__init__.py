"""The embedded provider: an OpenID provider that emulates Keycloak, for programs and tests on one machine.

    with Provider() as provider:
        provider.token_endpoint, provider.issuer

In a terminal, `python -m doorkey.dev` runs it. Only this package imports uvicorn.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.dev.config import Config, read_config
    from doorkey.dev.control import Control
    from doorkey.dev.faults import Fault, Faults
    from doorkey.dev.limits import Limits
    from doorkey.dev.provider import Provider
    from doorkey.dev.registrations import client, user
    from doorkey.dev.request_log import LoggedRequest, RequestLog
    from doorkey.server.model import Settings
    from doorkey.server.registrations import Client, User

__all__ = [
    "Client",
    "Config",
    "Control",
    "Fault",
    "Faults",
    "Limits",
    "LoggedRequest",
    "Provider",
    "RequestLog",
    "Settings",
    "User",
    "client",
    "read_config",
    "user",
]

_MODULES = {
    "Client": "doorkey.server.registrations",
    "Config": "doorkey.dev.config",
    "Control": "doorkey.dev.control",
    "Fault": "doorkey.dev.faults",
    "Faults": "doorkey.dev.faults",
    "Limits": "doorkey.dev.limits",
    "LoggedRequest": "doorkey.dev.request_log",
    "Provider": "doorkey.dev.provider",
    "RequestLog": "doorkey.dev.request_log",
    "Settings": "doorkey.server.model",
    "User": "doorkey.server.registrations",
    "client": "doorkey.dev.registrations",
    "read_config": "doorkey.dev.config",
    "user": "doorkey.dev.registrations",
}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `python -m doorkey.dev` can report a missing library in one sentence.
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
