"""The circumstances of a request: the issuer, its endpoints, its settings and keys, and the time."""

from __future__ import annotations

from dataclasses import dataclass

from doorkey.server.model import Settings
from doorkey.server.tokens.keys import RealmKeys
from doorkey.values import Secret


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The absolute URLs of an issuer's endpoints (RFC 8414 §2) and pages.

    `account` is the account page, and `script` the script of all pages. On the page `device` a user lets a device log
    in. `check_session` is the frame that checks a session, and `check_session_script` its script.
    """

    authorization: str
    token: str
    introspection: str
    revocation: str
    userinfo: str
    jwks: str
    end_session: str
    account: str
    script: str
    device_authorization: str
    device: str
    check_session: str
    check_session_script: str
    registration: str | None = None


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    """The settings for clients that register themselves.

    initial_access_token: the token that a registration must present; None: anyone may register.
    has_documents: whether a client ID may be the URL of a client's metadata document.
    """

    initial_access_token: Secret | None = None
    has_documents: bool = False


@dataclass(frozen=True, slots=True)
class At:
    """The circumstances of one request.

    `now` is POSIX seconds. `address` is the IP address of the caller, or None if it is not known. `registration` is
    None if clients cannot register themselves.
    """

    issuer: str
    endpoints: Endpoints
    settings: Settings
    keys: RealmKeys
    now: float
    address: str | None = None
    registration: RegistrationPolicy | None = None
