"""The options of a session, validated at construction and on assignment. An unknown option raises `UsageError`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doorkey.arguments import accepts, awaits, clock, error_statuses, flag, function, mapping, seconds, text
from doorkey.arguments import blocking as blocking_function
from doorkey.errors import UsageError
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata, check_one_issuer
from doorkey.protocol.pkce import METHOD
from doorkey.protocol.token_endpoint import check_token_types
from doorkey.runtime.clock import monotonic_time, wall_time
from doorkey.sessions.near_misses import option_hint
from doorkey.sessions.openid_options import OPENID_OPTIONS, OpenIDOptions, openid_options, take_issuer
from doorkey.sources.token_call import token_request_headers
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import Scope, Secret
from doorkey.wire.limits import ExchangePolicy, policy_of
from doorkey.wire.parameters import pairs_of

if TYPE_CHECKING:
    from doorkey.observe.observer import OnEvent
    from doorkey.protocol.client_identity import ClientAuthMethod
    from doorkey.wire.messages import Pairs

UpdateToken: TypeAlias = "Callable[..., object]"
"""``update_token(token, refresh_token=None, access_token=None)``: called with each new token and the replaced token.

On an asynchronous client it may be a coroutine function. Its result is ignored.
"""

PLACEMENTS: Final = ("header", "body", "uri")
REJECTED: Final = frozenset({401})
"""The default API statuses that mean a rejected token, even if the challenge does not name `invalid_token`."""
METADATA_OPTIONS: Final = ("issuer", *ENDPOINTS)
AUTHORIZATION_OPTIONS: Final[tuple[str, ...]] = (
    *("response_mode", "nonce", "prompt", "login_hint", "display", "max_age", "ui_locales", "acr_values"),
)
"""Options that are parameters of each authorization request (OpenID Connect Core §3.1.2.1)."""


def _no_parameters() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """The options of every session. See `doorkey.oauth2.client.OAuth2Client`."""

    client_id: str = ""
    credential: object = field(default=None, repr=False)
    token_endpoint_auth_method: str | ClientAuthMethod | None = None
    revocation_endpoint_auth_method: str | ClientAuthMethod | None = None
    scope: Scope | None = None
    state: str | None = None
    redirect_uri: str | None = None
    token_placement: str = "header"
    update_token: UpdateToken | None = None
    leeway: float | None = None
    code_challenge_method: str | None = None
    metadata: ServerMetadata = field(default_factory=ServerMetadata)
    is_described: bool = False  # metadata= was given or discovered, so a missing endpoint does not exist
    authorization: Mapping[str, Any] = field(default_factory=_no_parameters, hash=False)
    grant_type: str | None = None
    token_params: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    token_request_headers: Pairs = field(default=(), repr=False)
    token_types: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    tls_client_certificate_bound_access_tokens: bool = False
    rejected_statuses: frozenset[int] = REJECTED
    retry_rejected: bool = True
    openid: OpenIDOptions = field(default_factory=OpenIDOptions)
    exchange: ExchangePolicy = field(default_factory=ExchangePolicy)
    clock: Callable[[], float] = wall_time
    sleep: Callable[[float], Any] | None = None
    on_event: OnEvent | None = None
    timer: Callable[[], float] = monotonic_time

    def given(self, name: str) -> Any:
        """Return the option `name` in the form in which a program passes it. A secret is returned in plain text."""
        if name in METADATA_OPTIONS:
            return getattr(self.metadata, name)
        if name in AUTHORIZATION_OPTIONS:
            return self.authorization.get(name)
        if name == "client_secret":
            return self.credential.reveal() if isinstance(self.credential, Secret) else self.credential
        value = getattr(self, name)
        return str(value) if isinstance(value, Scope) else value

    @property
    def pkce(self) -> bool:
        """Whether every authorization request of this session has a code challenge."""
        return self.code_challenge_method is not None


OWN_OPTIONS: Final = frozenset(
    {
        *("client_id", "client_secret", "token_endpoint_auth_method", "revocation_endpoint_auth_method", "scope"),
        *("state", "redirect_uri", "token", "token_placement", "update_token", "leeway", "code_challenge_method"),
        *("metadata", "grant_type", "token_params", "token_request_headers", "token_types", "exchange", "clock"),
        "sleep",
        *("on_event", "timer", "rejected_statuses", "retry_rejected", "tls_client_certificate_bound_access_tokens"),
        *METADATA_OPTIONS,
        *AUTHORIZATION_OPTIONS,
        *OPENID_OPTIONS,
    }
)
"""The options of every session, for all HTTP libraries."""


def session_options(
    given: Mapping[str, Any], *, known_elsewhere: Collection[str], blocking: bool
) -> tuple[SessionOptions, dict[str, Any], OAuth2Token | None]:
    """Split `given` into the session's options, the options of the HTTP client, and the token.

    `known_elsewhere` contains the names of the HTTP client's options. Raises `UsageError` for an unknown name (with a
    hint), for an invalid value, and for a coroutine function as `update_token` or `sleep` of a blocking client.
    """
    refuse_unknown(given, {*OWN_OPTIONS, *known_elsewhere})
    own = {name: value for name, value in given.items() if name in OWN_OPTIONS and value is not None}
    rest = {name: value for name, value in given.items() if name not in OWN_OPTIONS}
    token = own.pop("token", None)
    options = changed(_DEFAULTS, own, blocking=blocking)
    return options, rest, token_given(token, options)


def refuse_unknown(given: Iterable[str], known: Collection[str]) -> None:
    """Raise `UsageError`, with a hint, for a name among the `given` options that is not `known`."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(f"there is no option {unknown[0]!r}{option_hint(unknown[0], known)}")


def token_given(token: Mapping[str, Any] | OAuthToken | None, options: SessionOptions) -> OAuth2Token | None:
    """Return the token that a user passed to a session with these `options`. None stays None.

    Its `expires_in` counts from now, on the session's clock. `token_types` may give its type another meaning.
    """
    if token is None:
        return None
    if isinstance(token, OAuth2Token):
        value = token.value.of_type(options.token_types)
        return token if value is token.value else OAuth2Token(value)
    value = token if isinstance(token, OAuthToken) else OAuthToken.from_mapping(token, now=options.clock())
    return OAuth2Token(value.of_type(options.token_types))


_DEFAULTS: Final = SessionOptions()
_UPDATE_TOKEN: Final = "update_token must be a callable (token, refresh_token=None, access_token=None)"


def changed(options: SessionOptions, given: Mapping[str, Any], *, blocking: bool) -> SessionOptions:
    """Return a copy of `options` with the `given` values. None resets an option to its default.

    Raises `UsageError` as `session_options` does.
    """
    own = dict(given)
    parameters = {name: own.pop(name) for name in AUTHORIZATION_OPTIONS if name in own}
    if parameters:
        own["authorization"] = _parameters(options.authorization, parameters)
    openid = openid_options(options.openid, {name: own.pop(name) for name in OPENID_OPTIONS if name in own})
    own["openid"] = take_issuer(openid, own)
    hosts = policy_of(own.get("exchange") if "exchange" in own else options.exchange).http_hosts
    if "metadata" in own:
        own["is_described"] = own["metadata"] is not None
    metadata = ServerMetadata.of(own.pop("metadata") if "metadata" in own else options.metadata, hosts)
    endpoints: dict[str, Any] = {name: own.pop(name) for name in METADATA_OPTIONS if name in own}
    if endpoints:
        validated = ServerMetadata.from_mapping(endpoints, hosts)
        check_one_issuer(validated.issuer, metadata)
        metadata = metadata.replaced({name: getattr(validated, name) for name in endpoints})
    if "client_secret" in own:
        secret = own.pop("client_secret")
        own["credential"] = Secret(secret) if isinstance(secret, str) else secret
    if own.get("scope") is not None:
        own["scope"] = Scope.of(own["scope"])
    if own.get("rejected_statuses") is not None:
        own["rejected_statuses"] = error_statuses(own["rejected_statuses"], "rejected_statuses")
    if own.get("token_params") is not None:
        own["token_params"] = dict(mapping(own["token_params"], "token_params"))
    if own.get("token_request_headers") is not None:
        own["token_request_headers"] = token_request_headers(own["token_request_headers"])
    if own.get("token_types") is not None:
        own["token_types"] = check_token_types(own["token_types"])
    values = {name: getattr(_DEFAULTS, name) if value is None else value for name, value in own.items()}
    new = replace(options, **values, metadata=metadata)
    _check(new, blocking)
    return new


def _parameters(before: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of each authorization request. A value of None removes a parameter."""
    pairs_of(given)  # raises for a value that cannot be in a URL
    return MappingProxyType({name: value for name, value in {**before, **given}.items() if value is not None})


def _check(options: SessionOptions, blocking: bool) -> None:
    for name in ("client_id", "state", "redirect_uri", "grant_type"):
        if getattr(options, name) is not None:
            text(getattr(options, name), name)
    policy_of(options.exchange)
    for name in ("retry_rejected", "tls_client_certificate_bound_access_tokens"):
        flag(getattr(options, name), name)
    clock(options.clock)
    if options.sleep is not None:
        expected = "sleep must be a callable that waits for a number of seconds"
        (blocking_function if blocking else function)(options.sleep, expected)
    if options.token_placement not in PLACEMENTS:
        raise UsageError(f"token_placement must be one of {PLACEMENTS}")
    if options.code_challenge_method not in (None, METHOD):
        raise UsageError("code_challenge_method must be 'S256': 'plain' does not protect the code (RFC 9700 §2.1.1)")
    if options.leeway is not None:
        seconds(options.leeway, "leeway")
    if options.update_token is not None:
        function(options.update_token, _UPDATE_TOKEN)
        if blocking and awaits(options.update_token):
            raise UsageError("update_token is asynchronous, and this client is synchronous: give a plain function")
        accepts(options.update_token, [(), ("refresh_token",), ("access_token",)], _UPDATE_TOKEN)
    for name in ("token_endpoint_auth_method", "revocation_endpoint_auth_method"):
        method = getattr(options, name)
        if method is not None and not isinstance(method, str):
            function(method, f"{name} must be the name of a client authentication method, or a callable")
