"""The constructor of `OAuth2Auth`, which is the same for every HTTP library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Unpack

from doorkey.auth.options import SourceOptions
from doorkey.values import NotPicklable, clears_locals

if TYPE_CHECKING:
    from doorkey.auth.signer import RequestSigner
    from doorkey.sources.issuer import Issuer


class SignsRequests(NotPicklable):
    """Has the request signer that the adapter of an HTTP library uses."""

    _signer: RequestSigner

    @clears_locals
    def __init__(
        self,
        token_source: Any,
        token_placement: str = "header",
        *,
        issuer: str | Issuer | None = None,
        token_endpoint: str | None = None,
        allowed_origins: Iterable[str] | None = None,
        rejected_statuses: Iterable[int] = (401,),
        retry_rejected: bool = True,
        **options: Unpack[SourceOptions],
    ) -> None:
        """Send a token with each request, and once more with another token if the API rejects it.

        token_source: credentials, a token source, a session of `doorkey.integrations`, or a token as a mapping.
        token_placement: ``"header"``, ``"body"`` or ``"uri"`` (RFC 6750 §2). A session has its own.
        issuer, token_endpoint: where the token of credentials is requested; so is `metadata`, among the other options.
        allowed_origins: URLs, of which scheme, host and port count. The token is sent nowhere else. None: any origin.
        rejected_statuses: statuses that reject the token, besides any with ``Bearer error="invalid_token"``.
        retry_rejected: False to return a rejection as it is and keep the token.
        options: for credentials, those of `TokenSource`.

        A request that has an `Authorization` header of its own is left as it is. Raises `UsageError` for an option
        that is not for this `token_source`. Sending raises the renewal's error rather than sending a request without
        its token, and `UsageError` for an origin that is not allowed.
        """
        from doorkey.auth.signer import signer_for  # when the first one is made: importing the clients stays cheap

        places: dict[str, Any] = {"issuer": issuer, "token_endpoint": token_endpoint}
        self._signer = signer_for(
            token_source,
            token_placement=token_placement,
            allowed_origins=allowed_origins,
            rejected_statuses=rejected_statuses,
            retry_rejected=retry_rejected,
            options={**options, **{name: url for name, url in places.items() if url is not None}},
        )
