"""The audit of real servers reports only what is true of them: each expected finding was compared with the server."""

import time

from doorkey.cli.doctor.audit import Audit
from doorkey.cli.doctor.finding import Severity
from tests.cli.doctor.issuers import audited, codes, failures
from tests.servers.handle import RealServer


def real(server: RealServer) -> Audit:
    done = audited(server.issuer, clock=time.time)
    assert failures(done) == []
    assert codes(done, Severity.OK).count("metadata_found") == 2, "OpenID Connect's place, and that of RFC 8414"
    return done


def detail_of(done: Audit, code: str) -> str:
    return next(one.what for one in done.findings if one.code == code)


def test_keycloak_has_the_weaknesses_of_its_defaults(keycloak: RealServer) -> None:
    done = real(keycloak)
    assert codes(done, Severity.WARNING) == ["implicit_response_types", "password_grant"]
    assert set(codes(done, Severity.INFO)) == {
        *("no_tls", "place_absent", "pkce_plain", "id_token_hmac", "weak_encryption"),
        "clock_unknown",  # Keycloak sends no Date
    }
    assert codes(done, Severity.OK).count("endpoint") == 8


def test_oidc_provider_has_no_weakness(oidc_provider: RealServer) -> None:
    done = real(oidc_provider)
    assert codes(done) == []
    assert codes(done, Severity.INFO) == ["no_tls", "implicit_grant"]
    assert "op-es256" in detail_of(done, "keys")
    assert codes(done, Severity.OK).count("endpoint") == 8


def test_django_oauth_toolkit_has_two_documents_that_differ_and_no_iss(django_oauth: RealServer) -> None:
    done = real(django_oauth)
    assert codes(done, Severity.WARNING) == ["places_disagree", "no_iss_parameter", "implicit_response_types"]
    assert detail_of(done, "places_disagree").endswith("differ in response_types_supported")
    assert set(codes(done, Severity.INFO)) == {
        *("no_tls", "place_absent", "pkce_plain", "id_token_hmac", "grants_default"),
    }
