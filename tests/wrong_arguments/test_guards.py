"""Arguments of every kind for guards, validators and metadata documents: they raise an `OAuthError` or nothing."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What is given here is of any kind by design.

import asyncio
from functools import partial
from typing import Any

import pytest

from doorkey.common import security, urls
from doorkey.errors import OAuthError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.oauth2 import rfc7523, rfc8414
from doorkey.oauth2.rfc6750 import BearerTokenValidator, InsufficientScopeError, InvalidTokenError
from doorkey.oauth2.rfc7662 import IntrospectTokenValidator
from doorkey.oauth2.rfc9068 import JWTBearerTokenValidator
from doorkey.oidc import discovery
from doorkey.resource import AccessTokenVerifier, ASGIGuard, FlaskGuard, WSGIGuard, certificate_header
from doorkey.resource.validators.protector import ProtectedRequest, ProtectorCore
from doorkey.resource.validators.responses import protector_reply
from doorkey.testing import LocalIssuer
from tests.support.django_project import project
from tests.support.framework_requests import bearer, wsgi
from tests.support.wrong_values import failures, parameters_of, refused

HEADERS = (("authorization", "Bearer token"),)


@pytest.fixture(scope="module")
def issuer() -> LocalIssuer:
    return LocalIssuer()


@pytest.fixture(scope="module")
def verifier(issuer: LocalIssuer) -> AccessTokenVerifier:
    return AccessTokenVerifier(issuer, audience="api", profile="keycloak", clock=issuer.clock)


def test_guards(issuer: LocalIssuer, verifier: AccessTokenVerifier) -> None:
    request = bearer(issuer.token("alice", audience="api"))

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    def asked(**options: Any) -> None:
        wsgi(WSGIGuard(**options).middleware(app), request)

    def required(scopes: Any = "profile", **needs: Any) -> None:
        wsgi(WSGIGuard(verifier).middleware(app, scopes, **needs), request)

    needs = ["scopes", "claims", "acr", "max_age"]
    with project():
        from doorkey.resource import DjangoGuard, FastAPIGuard, RestFrameworkGuard, StarletteGuard

        refused(
            failures(asked, {"verifier": verifier}, parameters_of(WSGIGuard)),
            failures(required, {}, needs),
            *(
                failures(lambda kind=kind, **options: kind(**options), {"verifier": verifier}, parameters_of(kind))
                for kind in (ASGIGuard, FlaskGuard, DjangoGuard, StarletteGuard, FastAPIGuard, RestFrameworkGuard)
            ),
            *(
                failures(lambda scopes="a", require=require, **needed: require(scopes, **needed), {}, needs)
                for require in (
                    FlaskGuard(verifier).require,
                    DjangoGuard(verifier).middleware,
                    FastAPIGuard(verifier).require,
                    RestFrameworkGuard(verifier).permission,
                )
            ),
            failures(lambda name: certificate_header(name)((("client-cert", "x"),)), {}, ["name"]),
        )


def test_asgi_and_the_certificate_of_a_program(issuer: LocalIssuer, verifier: AccessTokenVerifier) -> None:
    """What the program's own function returns."""
    token = issuer.token("alice", audience="api", claims={"cnf": {"x5t#S256": "x"}})
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", f"Bearer {token}".encode())]}

    async def nothing(*_: Any) -> Any: ...

    def asked(certificate: Any) -> None:
        guard = ASGIGuard(verifier, client_certificate=lambda headers: certificate)
        asyncio.run(guard.middleware(nothing)({**scope}, nothing, nothing))

    refused(failures(asked, {}))


def test_validators_and_protectors() -> None:
    def accepted(**given: Any) -> None:
        request = ProtectedRequest("GET", "https://api.example/", dict(HEADERS), HEADERS, "")
        core = ProtectorCore()
        core.register_token_validator(Introspecting())
        core.accept(request, given)

    class Introspecting(IntrospectTokenValidator):
        returned: Any = {"active": True}  # noqa: RUF012  # replaced as a whole

        def introspect_token(self, token_string: str) -> Any:
            return self.returned

    def introspected(**returned: Any) -> None:
        validator = Introspecting()
        validator.returned = returned.get("response", {"active": True, **returned})
        validator.validate_token(validator.authenticate_token("x"), ["a"], None)

    def raised(kind: type[OAuthError], **given: Any) -> None:
        error = kind(**given)
        protector_reply(error)

    def by_key(public_key: Any, issuer: Any, leeway: Any = 60, **attributes: Any) -> None:
        validator = rfc7523.JWTBearerTokenValidator(public_key, issuer, leeway=leeway)
        validator.claims_options = {**validator.claims_options, "aud": {"value": "api"}}
        for name, value in attributes.items():
            setattr(validator, name, value)
        validator.authenticate_token(signed)

    public = generate_key("ES256")
    signed = sign({"iss": "https://as.example", "aud": "api", "exp": 1e11}, public, alg="ES256")
    jwt: dict[str, Any] = {"issuer": "https://as.example", "resource_server": "api"}
    refused(
        failures(accepted, {"scopes": "a"}, ["scopes", "scope"]),
        failures(introspected, {}, ["response", "active", "exp", "nbf", "iat", "cnf", "scope"]),
        failures(lambda **given: JWTBearerTokenValidator(**given).authenticate_token("a.b.c"), jwt, jwt),
        failures(lambda token: JWTBearerTokenValidator(**jwt).authenticate_token(token), {}, ["token"]),
        failures(by_key, {"public_key": public, "issuer": "https://as.example"}, ["public_key", "issuer", "leeway"]),
        failures(lambda options: by_key(public, "i", claims_options=options), {}, ["options"]),
        failures(lambda aud: by_key(public, "i", claims_options={"iss": {"value": "i"}, "aud": aud}), {}, ["aud"]),
        failures(BearerTokenValidator.scope_insufficient, {"token_scopes": "a", "required_scopes": "a"}),
        failures(ProtectorCore().register_token_validator, {}),
        failures(ProtectorCore().get_token_validator, {}),
        *(
            failures(partial(raised, kind), {}, parameters_of(kind))
            for kind in (InvalidTokenError, InsufficientScopeError)
        ),
    )


def test_metadata_documents_and_urls() -> None:
    def validated(kind: Any, **members: Any) -> None:
        kind(members).validate()

    kinds = (rfc8414.AuthorizationServerMetadata, discovery.OpenIDProviderMetadata)
    refused(
        *(failures(partial(validated, kind), {}, kind.REGISTRY_KEYS) for kind in kinds),
        *(
            failures(
                lambda name, value, kind=kind: getattr(kind({name: value}), f"validate_{name}")(),
                {"name": name},
                ["value"],
            )
            for kind in kinds
            for name in kind.REGISTRY_KEYS
        ),
        *(failures(kind({}).validate, {}) for kind in kinds),
        failures(rfc8414.get_well_known_url, {"issuer": "https://as.example"}),
        failures(discovery.get_well_known_url, {"issuer": "https://as.example"}),
        failures(security.is_secure_transport, {}),
        failures(urls.is_valid_url, {"url": "https://as.example"}),
        failures(urls.extract_params, {}),
    )
