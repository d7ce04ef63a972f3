"""The table of presets: one row for each provider. Each fact comes from the documentation that `source` names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorkey.arguments import did_you_mean, text
from doorkey.errors import UsageError, printable
from doorkey.login.presets import apple, claims, entra, linkedin
from doorkey.login.presets.preset import Preset
from doorkey.login.presets.rows import Row, base_url, host, segment, tenant, user_pool
from doorkey.values import hides_locals

_OPENID: Final = "openid profile email"

_ROWS: Final = (
    Row(
        name="apple",
        label="Apple",
        source="https://developer.apple.com/documentation/signinwithapplerestapi",
        scope="openid name email",
        issuer=apple.ISSUER,
        build=apple.apple_options,
        build_parameters=("team_id", "key_id", "private_key"),
        more={
            "authorization_params": {"response_mode": "form_post"},
            "callback_claims": apple.apple_callback_claims,
        },
        note="The client secret is a JWT that the program signs. Apple posts the callback, and sends the name of a "
        "user at the first login only. There is no userinfo endpoint and no logout.",
    ),
    Row(
        name="auth0",
        label="Auth0",
        source="https://auth0.com/docs/get-started/applications/configure-applications-with-oidc-discovery",
        scope=_OPENID,
        issuer="https://{domain}/",
        parameters={"domain": host},
        note="The issuer ends with a slash.",
    ),
    Row(
        name="cognito",
        label="Amazon Cognito",
        source="https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html",
        scope=_OPENID,
        issuer="https://cognito-idp.{region}.amazonaws.com/{user_pool_id}",
        parameters={"user_pool_id": user_pool, "domain": host},
        defaults={"domain": None},
        endpoints={"end_session_endpoint": "https://{domain}/logout"},
        more={"logout_uri_param": "logout_uri"},
        note="The logout endpoint is at the domain of the user pool, and its parameter is `logout_uri`.",
    ),
    Row(
        name="discord",
        label="Discord",
        source="https://docs.discord.com/developers/topics/oauth2",
        scope="identify email",
        identity_issuer="https://discord.com",
        endpoints={
            "authorization_endpoint": "https://discord.com/oauth2/authorize",
            "token_endpoint": "https://discord.com/api/oauth2/token",
            "revocation_endpoint": "https://discord.com/api/oauth2/token/revoke",
            "userinfo_endpoint": "https://discord.com/api/users/@me",
        },
        more={"userinfo_fix": claims.discord_claims},
        note="Plain OAuth 2 with a user API.",
    ),
    Row(
        name="github",
        label="GitHub",
        source="https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
        scope="read:user user:email",
        identity_issuer="https://github.com",
        endpoints={
            "authorization_endpoint": "https://github.com/login/oauth/authorize",
            "token_endpoint": "https://github.com/login/oauth/access_token",
            "userinfo_endpoint": "https://api.github.com/user",
        },
        more={"userinfo_fix": claims.github_claims, "token_endpoint_auth_method": "client_secret_post"},
        note="Plain OAuth 2 with a user API. The email address is the primary address, from a second request.",
    ),
    Row(
        name="gitlab",
        label="GitLab",
        source="https://docs.gitlab.com/integration/openid_connect_provider/",
        scope=_OPENID,
        issuer="{base_url}",
        parameters={"base_url": base_url},
        defaults={"base_url": "https://gitlab.com"},
        note="`base_url` is the URL of an installation of your own.",
    ),
    Row(
        name="google",
        label="Google",
        source="https://developers.google.com/identity/openid-connect/openid-connect",
        scope=_OPENID,
        issuer="https://accounts.google.com",
        note="There is no logout at the provider.",
    ),
    Row(
        name="keycloak",
        label="Keycloak",
        source="https://www.keycloak.org/securing-apps/oidc-layers",
        scope=_OPENID,
        issuer="{base_url}/realms/{realm}",
        parameters={"base_url": base_url, "realm": segment},
    ),
    Row(
        name="linkedin",
        label="LinkedIn",
        source="https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2",
        scope=_OPENID,
        identity_issuer="https://www.linkedin.com",
        endpoints={
            "authorization_endpoint": "https://www.linkedin.com/oauth/v2/authorization",
            "token_endpoint": "https://www.linkedin.com/oauth/v2/accessToken",
            "userinfo_endpoint": "https://api.linkedin.com/v2/userinfo",
        },
        more={
            "userinfo_fix": claims.linkedin_claims,
            "token_endpoint_auth_method": linkedin.linkedin_client_auth,
        },
        note="Its ID tokens have no `nonce`, so they are not used: the identity comes from the userinfo endpoint. "
        "Its token endpoint does not accept a code verifier.",
    ),
    Row(
        name="microsoft",
        label="Microsoft",
        source="https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc",
        scope=_OPENID,
        issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        parameters={"tenant": tenant},
        build=entra.entra_options,
        build_optional=("tenants",),
        several=("tenants",),
        note="`tenant` is the ID of a directory, or `common`, `organizations` or `consumers`. For these, `tenants` "
        "lists the directories whose users may log in; without it, all may.",
    ),
    Row(
        name="okta",
        label="Okta",
        source="https://developer.okta.com/docs/concepts/auth-servers/",
        scope=_OPENID,
        issuer="https://{domain}/oauth2/{authorization_server}",
        parameters={"domain": host, "authorization_server": segment},
        defaults={"authorization_server": "default"},
        note="The org authorization server has the issuer `https://{domain}`: give it as `issuer`, without a preset.",
    ),
    Row(
        name="slack",
        label="Slack",
        source="https://docs.slack.dev/authentication/sign-in-with-slack/",
        scope=_OPENID,
        issuer="https://slack.com",
        note="Errors have status 200.",
    ),
)

ROWS: Final[Mapping[str, Row]] = {row.name: row for row in _ROWS}
"""The rows by name."""

PRESETS: Final[tuple[str, ...]] = tuple(ROWS)
"""The names of the presets."""


def preset(name: str, **parameters: Any) -> Preset:
    """Return the preset called `name`, for instance ``preset("keycloak", base_url=…, realm=…)``.

    name: the name of the preset, one of `PRESETS`.
    parameters: the parameters of the provider, for instance `tenant`, `domain` or `realm`. `docs/logins/providers.md`
        lists them.

    Raises `UsageError` for an unknown name or parameter, for a missing parameter, and for an invalid value.
    """
    row = ROWS.get(text(name, "the name of a preset"))
    if row is None:
        known = f": there are {', '.join(PRESETS)}"
        raise UsageError(f"there is no preset {printable(name, 40)!r}{did_you_mean(name, PRESETS, known)}")
    values = row.values(parameters)
    if "user_pool_id" in values:
        values["region"] = values["user_pool_id"].partition("_")[0]
    issuer = row.issuer.format(**values)
    fields: dict[str, Any] = {
        "endpoints": {
            endpoint: url.format(**values) for endpoint, url in row.endpoints.items() if _has_values(url, values)
        },
        **row.more,
    }
    if row.build is not None:
        fields |= row.build(**_built_from(row, parameters, values))
    return Preset(
        name=row.name,
        label=row.label,
        source=row.source,
        scope=row.scope,
        note=row.note,
        issuer=issuer or None,
        identity_issuer=row.identity_issuer or issuer,
        **fields,
    )


@hides_locals
def preset_of_environment(name: str, prefix: str, environment: Mapping[str, str]) -> Preset:
    """Return the preset called `name` with its parameters from environment variables.

    prefix: the prefix of the variables' names. With ``DOORKEY_PRESET_``, `tenant` is in ``DOORKEY_PRESET_TENANT``.
        Several values of one parameter are separated by spaces.

    Raises `UsageError` with the name of a variable that is missing.
    """
    row = ROWS[name]
    given: dict[str, Any] = {}
    for parameter in row.all_parameters:
        if value := environment.get(prefix + parameter.upper()):
            given[parameter] = value.split() if parameter in row.several else value
        elif parameter not in row.optional:
            raise UsageError(f"set {prefix}{parameter.upper()}, which the preset {name} needs")
    return preset(name, **given)


def _has_values(url: str, values: Mapping[str, str]) -> bool:
    """Return whether each parameter in `url` has a value."""
    return all(part.partition("}")[0] in values for part in url.split("{")[1:])


def _built_from(row: Row, parameters: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of `row.build`. Raises `UsageError` if a required one is missing."""
    missing = next((name for name in row.build_parameters if name not in parameters), None)
    if missing is not None:
        raise UsageError(f"the preset {row.name} needs {missing}=")
    names = (*row.build_parameters, *row.build_optional)
    return {**values, **{name: parameters[name] for name in names if name in parameters}}
