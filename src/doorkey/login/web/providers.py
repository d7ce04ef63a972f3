"""A provider at which the users of an application log in, as a value, and the options that follow from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from doorkey.arguments import flag, instance, text
from doorkey.errors import UsageError
from doorkey.login.presets import Preset
from doorkey.login.presets import preset as preset_named
from doorkey.sources.issuer import Issuer
from doorkey.values import NotPicklable, clears_locals

if TYPE_CHECKING:
    from typing import Unpack

    from doorkey.login.option_types import LoginProviderOptions

__all__ = ["LoginProvider"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SCOPE: Final = "openid profile email"
_OF_THE_VAULT: Final = (
    *("issuer", "token_endpoint", "metadata", "token_endpoint_auth_method", "exchange", "token_types", "on_event"),
    *("leeway", "tls_client_certificate_bound_access_tokens"),
)
"""The options of a login client that are options of a vault too."""


class LoginProvider(NotPicklable):
    """One provider at which the users of an application log in.

    name: its name in the routes: letters, digits, - and _. The callback URL is ``…/auth/callback/NAME``; with only one
        provider, it is ``…/auth/callback``.
    client_id, client_secret: the credentials of the application at the provider.
    preset: a `doorkey.login.presets.Preset`, or its name, such as "google".
    label: the name of the provider on pages; None: the label of the preset, else `name`.
    revoke_at_logout: True: when a user logs out, the refresh token is revoked at the provider (RFC 7009).
    options: further options of `LoginClient`: `issuer`, `scope`, `http_client`, `userinfo_compliance_fix` …

    Raises `UsageError` for an invalid argument.
    """

    @clears_locals
    def __init__(
        self,
        name: str,
        client_id: str,
        client_secret: Any = None,
        *,
        preset: str | Preset | None = None,
        label: str | None = None,
        revoke_at_logout: bool = False,
        **options: Unpack[LoginProviderOptions],
    ) -> None:
        if not _NAME.fullmatch(text(name, "the name of a provider")):
            raise UsageError("the name of a provider is made of letters, digits, - and _, for instance google")
        self.name, self.client_id, self._client_secret = name, client_id, client_secret
        self.preset = preset_named(preset) if isinstance(preset, str) else _preset(preset)
        self.label = text(label, "label") if label is not None else self.preset.label if self.preset else name
        self.revoke_at_logout = flag(revoke_at_logout, "revoke_at_logout")
        given: dict[str, Any] = {**_of_preset(self.preset), **options}
        issuer: object = given.get("issuer")
        if isinstance(issuer, str):
            clock = {"clock": given["clock"]} if "clock" in given else {}
            given["issuer"] = Issuer(issuer, exchange=given.get("exchange"), **clock)
        if issuer is not None or "metadata" in given:
            given.setdefault("scope", _SCOPE)
        if issuer is not None and self.preset is None and given.get("userinfo_endpoint") is None:
            _check_scope(given["scope"])
        self._options: Mapping[str, Any] = given

    def client_options(self) -> dict[str, Any]:
        """Return the options of a `LoginClient`."""
        return {
            "client_id": self.client_id,
            "client_secret": self._client_secret,
            "name": self.name,
            **self._options,
        }

    def vault_options(self) -> dict[str, Any]:
        """Return the options of a vault for the tokens of the users."""
        options = {name: self._options[name] for name in _OF_THE_VAULT if name in self._options}
        return {"client_id": self.client_id, "client_secret": self._client_secret, **options}

    @property
    def has_userinfo_option(self) -> bool:
        """Whether an option decides if userinfo is requested."""
        return self._options.get("fetch_userinfo") is not None

    def __repr__(self) -> str:
        return f"<LoginProvider {self.name}>"


def _check_scope(scope: object) -> None:
    """Raise `UsageError` for a scope without openid, which identifies no user (OpenID Connect Core §3.1.2.1)."""
    if isinstance(scope, str | list | tuple | set | frozenset):
        names = cast("Collection[object]", scope.split() if isinstance(scope, str) else scope)
        if "openid" not in names:
            raise UsageError(
                "scope needs openid, because without it the provider does not identify the user: use openid profile "
                "email"
            )


def _preset(given: object) -> Preset | None:
    return None if given is None else instance(given, Preset, "preset must be the name of a preset, or a Preset")


def _of_preset(preset: Preset | None) -> dict[str, Any]:
    if preset is None:
        return {}
    fix = {} if preset.userinfo_fix is None else {"userinfo_compliance_fix": preset.userinfo_fix}
    return {**preset.client_options(), **fix}
