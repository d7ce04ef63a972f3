"""The device flow of a session, as two flows: begin the login, and poll for its token (RFC 8628)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from doorkey.arguments import instance
from doorkey.errors import UsageError
from doorkey.sessions.token_queries import HeaderItems

if TYPE_CHECKING:
    from doorkey.protocol.device import DeviceAuthorization
    from doorkey.sessions.core import SessionCore
    from doorkey.tokens import OAuth2Token
    from doorkey.wire.flow import Flow


class DeviceOperations:
    """The device flow of a session. `OAuth2Client` copies these operations."""

    _oauth: SessionCore

    def _begin_device_authorization(
        self,
        /,
        scope: str | Iterable[str] | None = None,
        *,
        url: str | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[DeviceAuthorization]:
        """Begin a login that the user finishes on another device (RFC 8628 §3.1).

        Show the `user_code` and the `verification_uri` of the result to the user. Then call
        `finish_device_authorization`.

        scope: scope tokens, or text with spaces between them; None: the session's.
        url: the device authorization endpoint; None: the session's.
        auth, headers: as for `fetch_token`.
        extra: further parameters, and options of the HTTP library such as `timeout`.

        Raises `UsageError` without an endpoint, `ServerError` for an error response, `InvalidResponse` for an invalid
        response, and `TransportError` without a response.
        """
        from doorkey.values import Scope

        core = self._oauth
        endpoint = yield from core.located("device_authorization", url)
        if endpoint is None:
            from doorkey.sessions.issuer import missing_endpoint

            raise missing_endpoint(core.options.metadata, "device_authorization")
        overrides = core.overrides_of(None, extra, auth, headers)
        requested = Scope.of(scope) or core.options.scope
        pairs = (("scope", str(requested)),) if requested else ()
        metadata, known = core.options.metadata, core.known_token_endpoint()
        return (
            yield from core.client().authorize_device(endpoint, pairs + overrides.extra, metadata, known, overrides)
        )

    def _finish_device_authorization(
        self,
        device: DeviceAuthorization,
        /,
        *,
        url: str | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[OAuth2Token]:
        """Wait until the user has finished the login, store its token in the session, and return it (RFC 8628 §3.4).

        The session polls the server at the interval that the server requires. If the session has an issuer, it verifies
        the ID token first, as `fetch_token` does.

        device: the result of `begin_device_authorization`, of this session or another session at the same server.
        url: the token endpoint; None: the session's.
        auth, headers, extra: as for `fetch_token`.

        Raises `AccessDenied` if the user refuses, `ExpiredDeviceCode` if the code expires first, and the errors of
        `fetch_token`. A failure of the network does not end the wait.
        """
        from doorkey.protocol.device import DeviceAuthorization
        from doorkey.protocol.grants import DeviceCodeGrant
        from doorkey.sessions.openid import with_verified_claims
        from doorkey.sources.token_call import TokenCall
        from doorkey.values import RedactedDict

        core = self._oauth
        core.refuse_within_update_token()
        instance(device, DeviceAuthorization, "device must be the result of begin_device_authorization()")
        endpoint = yield from core.token_endpoint(url)
        if device.issuer is not None and device.issuer != core.options.metadata.issuer:
            raise UsageError(
                "this login began at another issuer than the session's: finish it with a session for that issuer"
            )
        call = TokenCall(endpoint, DeviceCodeGrant(device.device_code), promised=device.scope or None)
        call = call.overridden(core.overrides_of(None, extra, auth, headers))
        token = yield from core.client().poll(call, device, core.options.metadata)
        token = yield from with_verified_claims(core, token)
        return (yield from core.save_and_adopt(token, call, RedactedDict()))
