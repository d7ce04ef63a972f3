"""`AssertionSession`: a `requests.Session` for a service account, which requests its token by signed assertions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from doorkey.integrations.requests_client.oauth2_session import OAuth2Session
from doorkey.sessions.assertion import AssertionClient
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from typing import Unpack

    from doorkey.integrations.requests_client.option_types import AssertionSessionOptions, KeyFileSessionOptions
    from doorkey.jose.signers import Signer
    from doorkey.sources.issuer import Issuer


class AssertionSession(AssertionClient, OAuth2Session):
    """The session on requests."""

    __doc__ = AssertionClient.__doc__

    @clears_locals
    def __init__(  # `default_timeout` has the same position as in Authlib
        self,
        token_endpoint: str | None = None,
        issuer: str | Issuer | None = None,
        subject: str | None = None,
        audience: str | None = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: str | Iterable[str] | None = None,
        default_timeout: float | tuple[float, float] | None = None,
        leeway: float | None = None,
        *,
        token_url: str | None = None,
        assertion_issuer: str | None = None,
        key: Any = None,
        signer: Signer | None = None,
        header: Mapping[str, Any] | None = None,
        alg: str | None = None,
        kid: str | None = None,
        thumbprint_kid: bool = False,
        issued_at: float | None = None,
        expires_at: float | None = None,
        expires_in: float | None = None,
        **options: Unpack[AssertionSessionOptions],
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        self._start(given, {**options, "default_timeout": default_timeout})

    @classmethod
    @clears_locals
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        issuer: str | Issuer | None = None,
        scope: str | Iterable[str] | None = None,
        subject: str | None = None,
        **options: Unpack[KeyFileSessionOptions],
    ) -> Self:
        """Return a client for the service account of a key file, in the JSON format of Google.

        path: the file, whose members are `type`, `client_email`, `private_key`, `private_key_id` and `token_uri`.
        issuer: the authorization server, a URL or an `Issuer`, in place of the `token_uri` of the file.
        scope: scope of the token. It becomes a claim of the assertion, as Google requires. With `issuer`, it is a
            parameter of the token request too.
        subject: the user for whom the service account acts; None: the service account itself.
        options: the other options of the constructor.

        Raises `UsageError` for a file that cannot be read, or that is not such a key file.
        """
        return cls._from_file(path, issuer, scope, subject, options)
