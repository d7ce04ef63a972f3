"""The embedded provider: an OpenID provider with Keycloak's face, for programs and tests on one machine.

    with Provider() as provider:
        provider.token_endpoint, provider.issuer

and `python -m doorkey.dev` in a terminal. Only this package imports Starlette and uvicorn.
"""

from doorkey.dev.config import Config, read_config
from doorkey.dev.faults import Fault, Faults
from doorkey.dev.provider import Provider
from doorkey.dev.registrations import client, user
from doorkey.dev.request_log import LoggedRequest, RequestLog
from doorkey.server.model import Client, Settings, User

__all__ = [
    "Client",
    "Config",
    "Fault",
    "Faults",
    "LoggedRequest",
    "Provider",
    "RequestLog",
    "Settings",
    "User",
    "client",
    "read_config",
    "user",
]
