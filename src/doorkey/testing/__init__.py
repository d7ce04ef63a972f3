"""The test kit: a provider for tests of clients, of logins and of APIs.

    def test_my_app(doorkey_provider):                  # the fixture of the pytest plugin

    with Provider() as provider:                        # in unittest, or anywhere else
    LocalIssuer()                                       # an issuer for unit tests, without a network

Everything is imported on first use, because pytest imports the plugin of this package in every run.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.dev import Client, Fault, Faults, LoggedRequest, Settings, User, client, user
    from doorkey.dev.faults import UnusedFault
    from doorkey.dev.headless import HeadlessBrowser
    from doorkey.testing.issuer import LocalIssuer
    from doorkey.testing.provider import Provider
    from doorkey.testing.remote import RemoteFaults, RemoteProvider

__all__ = [
    "Client",
    "Fault",
    "Faults",
    "HeadlessBrowser",
    "LocalIssuer",
    "LoggedRequest",
    "Provider",
    "RemoteFaults",
    "RemoteProvider",
    "Settings",
    "UnusedFault",
    "User",
    "client",
    "user",
]

_MODULES = {
    **dict.fromkeys(
        ("Client", "Fault", "Faults", "LoggedRequest", "Settings", "User", "client", "user"), "doorkey.dev"
    ),
    "HeadlessBrowser": "doorkey.dev.headless",
    "LocalIssuer": "doorkey.testing.issuer",
    "Provider": "doorkey.testing.provider",
    **dict.fromkeys(("RemoteFaults", "RemoteProvider"), "doorkey.testing.remote"),
    "UnusedFault": "doorkey.dev.faults",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
