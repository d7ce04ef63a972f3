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
    """Holds the request signer that the adapter for an HTTP library uses."""

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
        """Send a token with each request. If the API rejects it, send the request once more with another token.

        token_source: credentials, a token source, a session of `doorkey.integrations`, or a token as a mapping.
        token_placement: ``"header"``, ``"body"`` or ``"uri"`` (RFC 6750 §2). A session uses its own setting.
        issuer, token_endpoint: for credentials, the authorization server. `metadata`, in `options`, may also name it.
        allowed_origins: URLs. The token is sent only to their origins (scheme, host and port). None: any origin.
        rejected_statuses: HTTP statuses that mean a rejected token. A response of status 400 or higher with
            ``Bearer error="invalid_token"`` always does (RFC 6750 §3.1).
        retry_rejected: False to return a rejection unchanged and keep the token.
        options: for credentials, the other options of `TokenSource`.

        A request that already has an `Authorization` header is not changed. Raises `UsageError` for an option that
        does not apply to this `token_source`. If no token is available, sending a request raises the error of the
        renewal, and the request is not sent. For an origin that is not allowed, it raises `UsageError`.
        """
        from doorkey.auth.token_sources import signer_for  # deferred, so that importing a client stays fast

        places: dict[str, Any] = {"issuer": issuer, "token_endpoint": token_endpoint}
        self._signer = signer_for(
            token_source,
            token_placement=token_placement,
            allowed_origins=allowed_origins,
            rejected_statuses=rejected_statuses,
            retry_rejected=retry_rejected,
            options={**options, **{name: url for name, url in places.items() if url is not None}},
        )
