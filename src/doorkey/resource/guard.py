"""`Guard`: the decision about one request to an API, independent of any web framework.

Theory of operation. The decision is a flow from an `ApiRequest` to an `AccessToken` or a `Rejection`, for blocking and
asynchronous programs. A `Rejection` is the complete response: the status and the challenge of RFC 6750 §3, and a body
for people. An error about the token becomes the status 400, 401 or 403. An error about the authorization server becomes
503, because the client cannot correct it and its token may be valid. A `UsageError` is raised, because the program must
be corrected.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, cast

from doorkey.arguments import flag, function, instance, text
from doorkey.errors import OAuthError, ServerError, UsageError
from doorkey.observe.logs import logger
from doorkey.protocol.presented_token import presented_token
from doorkey.protocol.protected_resource import ProtectedResource
from doorkey.protocol.rejections import InvalidAccessToken, MissingAccessToken, RequestRejected
from doorkey.resource.access_token import AccessToken
from doorkey.resource.messages import ApiRequest, Rejection, Reply, json_reply, rejection_for
from doorkey.resource.requirement import Requirement
from doorkey.resource.verifier import AccessTokenVerifier, AsyncAccessTokenVerifier
from doorkey.values import Secret, clear_locals, clears_locals, without_frames
from doorkey.wire.flow import Flow, Settle, arun, run

AnyVerifier: TypeAlias = AccessTokenVerifier | AsyncAccessTokenVerifier
DPoPCheck: TypeAlias = "Callable[[ApiRequest, Secret], str | Awaitable[str]]"
"""A function that verifies the DPoP proof of a request with this access token.

It returns the JWK thumbprint of the proof's key.
"""

_ANY: Final = Requirement()
_UNAVAILABLE: Final = "the access token cannot be checked at the moment"
_WRONG_VERIFIER: Final = "the verifier of a guard must be an AccessTokenVerifier or an AsyncAccessTokenVerifier"


class Guard:
    """Accepts or rejects requests to an API by their access token.

    verifier: an `AccessTokenVerifier` or an `AsyncAccessTokenVerifier`.
    realm: the name of the protection space, for the challenge (RFC 9110 §11.5).
    resource: the identifier of the API (an https URL), or a `ProtectedResource`. `metadata_reply` returns its metadata,
        and challenges name the URL of the metadata (RFC 9728).
    token_in_query: also accept a token in the query of the URL (RFC 6750 §2.3). URLs end up in logs and at other sites.
    dpop: verifies the DPoP proof of a request: ``dpop(request, token)`` returns the JWK thumbprint of the key, or
        raises `RequestRejected`. Without it, tokens that are bound to a DPoP key are rejected (RFC 9449 §7.1).

    Raises `UsageError` for invalid arguments.
    """

    def __init__(
        self,
        verifier: AnyVerifier,
        *,
        realm: str | None = None,
        resource: str | ProtectedResource | None = None,
        token_in_query: bool = False,
        dpop: DPoPCheck | None = None,
    ) -> None:
        given: object = verifier
        if not isinstance(given, AccessTokenVerifier | AsyncAccessTokenVerifier):
            raise UsageError(f"{_WRONG_VERIFIER}, not {type(given).__name__}")
        if dpop is not None:
            function(dpop, "dpop must be a function that takes the request and the token")
        self.verifier = verifier
        self._realm = None if realm is None else text(realm, "realm")
        self._in_query, self._dpop = flag(token_in_query, "token_in_query"), dpop
        self.resource = resource if isinstance(resource, ProtectedResource | None) else self._resource_named(resource)
        self._metadata_url = None if self.resource is None else self.resource.metadata_url
        self._metadata_path = ApiRequest("GET", self._metadata_url or "", ()).path

    @property
    def awaits(self) -> bool:
        """Whether the verifier is asynchronous."""
        return isinstance(self.verifier, AsyncAccessTokenVerifier)

    @clears_locals
    def check(self, request: ApiRequest, requirement: Requirement = _ANY) -> AccessToken | Rejection:
        """Return the access token of `request`, or the response that rejects the request.

        request: the request.
        requirement: the conditions for the token; by default any valid token is accepted.

        Raises `UsageError` for an error of the program, for instance an asynchronous verifier.
        """
        verifier = self.verifier
        if not isinstance(verifier, AccessTokenVerifier):
            raise UsageError("the verifier of this guard is asynchronous: await acheck(), or give AccessTokenVerifier")
        return run(self.decision(request, requirement), verifier._perform)

    async def acheck(self, request: ApiRequest, requirement: Requirement = _ANY) -> AccessToken | Rejection:
        """Return the access token or the rejection, for asynchronous code. Raises `UsageError`.

        request, requirement: as for `check`.

        A blocking verifier runs in a worker thread, and only if the token is not in its cache.
        """
        verifier, flow = self.verifier, self.decision(request, requirement)
        perform = verifier._perform if isinstance(verifier, AsyncAccessTokenVerifier) else in_threads(verifier._perform)
        try:
            return await arun(flow, perform)
        except BaseException as error:
            clear_locals(error)
            raise

    def decision(self, request: ApiRequest, requirement: Requirement = _ANY) -> Flow[AccessToken | Rejection]:
        """Return the decision about `request` as a flow, which the verifier can perform. Raises `UsageError`.

        request, requirement: as for `check`.
        """
        instance(request, ApiRequest, "a guard decides about an ApiRequest")
        instance(requirement, Requirement, "the requirement of a request must be a Requirement")
        scheme = "Bearer"
        try:
            presented = presented_token(request.pairs, request.query, request.form, in_query=self._in_query)
            if presented is None:
                raise MissingAccessToken(cast("tuple[str, ...]", requirement.scopes))
            scheme = presented.scheme
            found = yield from self.verifier._core.verified(presented.token.reveal())
            proven_key = yield from self._proven_key(request, scheme, presented.token)
            return self.verifier._check(found, requirement, request.certificate, proven_key, scheme)
        except RequestRejected as error:
            return self._rejection(without_frames(error), scheme)
        except UsageError:
            raise
        except OAuthError as error:
            return _unavailable(without_frames(error))

    def metadata_reply(self, request: ApiRequest) -> Reply | None:
        """Return the response to a request for the metadata of the API (RFC 9728 §3).

        request: the request. Return None if it has another path, or the guard has no `resource`.
        """
        instance(request, ApiRequest, "a guard responds to an ApiRequest")
        if self.resource is None or request.path != self._metadata_path:
            return None
        if request.method.upper() not in ("GET", "HEAD"):
            return json_reply(405, {"error": "method_not_allowed"}, [("Allow", "GET, HEAD")])
        headers = [("Cache-Control", "max-age=3600"), ("Access-Control-Allow-Origin", "*")]
        return json_reply(200, self.resource.document(), headers)

    def _proven_key(self, request: ApiRequest, scheme: str, token: Secret) -> Flow[str | None]:
        if scheme != "DPoP":
            return None
        if self._dpop is None:
            raise InvalidAccessToken("Authorization", "has the scheme DPoP, which this API does not accept")
        proven: Any = yield from Settle(self._dpop(request, token))
        return text(proven, "the result of dpop, the thumbprint of a key,")

    def _rejection(self, error: RequestRejected, scheme: str) -> Rejection:
        shown = scheme if self._dpop is not None else "Bearer"
        challenge = error.challenge(realm=self._realm, resource_metadata=self._metadata_url, scheme=shown)
        headers = (("WWW-Authenticate", challenge),)
        return rejection_for(error, error.status, error.error, error.description, headers)

    def _resource_named(self, resource: str) -> ProtectedResource:
        return ProtectedResource(resource=text(resource, "resource"), authorization_servers=self.verifier.issuers)


def in_threads(perform: Callable[[Any], Any]) -> Callable[[Any], Awaitable[Any]]:
    """Return an asynchronous function that calls the blocking `perform` in a worker thread."""

    async def perform_in_thread(effect: Any) -> Any:
        from anyio.to_thread import run_sync

        return await run_sync(perform, effect)

    return perform_in_thread


def _unavailable(error: OAuthError) -> Rejection:
    """Return the rejection of a request whose token could not be checked. The reason is only logged."""
    logger.warning("an access token cannot be checked: %s", error)
    pause = error.retry_after if isinstance(error, ServerError) else None
    headers = () if pause is None else (("Retry-After", f"{math.ceil(pause)}"),)
    return rejection_for(error, 503, "temporarily_unavailable", _UNAVAILABLE, headers)
