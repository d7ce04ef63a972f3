"""The audit of an API that our own guard protects, in each framework, has only findings that are true."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

from doorkey.cli.doctor.audit import API, Audit
from doorkey.cli.doctor.finding import Severity
from doorkey.resource import AccessTokenVerifier, ProtectedResource
from tests.cli.doctor.issuers import GoodIssuer, audited, codes
from tests.support.framework_requests import Call
from tests.support.guarded_apis import AWAITING, BLOCKING, Api
from tests.support.hostile_server import Hostile

ORIGIN = "http://127.0.0.1:8042"
FRAMEWORKS = BLOCKING | AWAITING
HERE = {"no_tls", "clock_unknown"}
"""The servers of this test have no TLS, and the API no server that would send the time."""


@pytest.fixture
def issuer(hostile: Hostile) -> GoodIssuer:
    made = GoodIssuer(hostile)
    made.publish()
    return made


@pytest.fixture
def verifier(issuer: GoodIssuer) -> Iterator[AccessTokenVerifier]:
    with AccessTokenVerifier(issuer.issuer, audience="orders-api") as found:
        yield found


def audit_of(api: Api, path: str, kind: str | None = None) -> Audit:
    """The audit of a path of this API, which is at `ORIGIN`; other hosts are real."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        parts = urlsplit(str(request.url))
        response = api(Call(parts.path, request.method, tuple(request.headers.items()), parts.query))
        return httpx2.Response(response.status, headers=[*response.headers], content=response.body)

    with httpx2.Client(mounts={ORIGIN: httpx2.MockTransport(answer)}) as client:
        return audited(ORIGIN + path, kind=kind, http_client=client)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_nothing_is_wrong_with_an_api_that_names_its_metadata(
    framework: str, issuer: GoodIssuer, verifier: AccessTokenVerifier
) -> None:
    resource = ProtectedResource(resource=ORIGIN, authorization_servers=(issuer.issuer,))
    done = audit_of(FRAMEWORKS[framework](verifier, resource=resource), "/orders")
    assert (done.kind, codes(done)) == (API, [])
    assert set(codes(done, Severity.OK)) == {
        *("challenge", "wrong_token", "resource_metadata_found", "authorization_servers", "authorization_server"),
    }
    assert set(codes(done, Severity.INFO)) - HERE == {"resource_contains"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_api_without_metadata_is_told_only_that(framework: str, verifier: AccessTokenVerifier) -> None:
    done = audit_of(FRAMEWORKS[framework](verifier), "/orders")
    assert done.kind == API
    assert codes(done) == ["no_resource_metadata"]
    assert set(codes(done, Severity.OK)) == {"challenge", "wrong_token"}
    assert set(codes(done, Severity.INFO)) - HERE == {"resource_metadata_absent"}


@pytest.mark.parametrize("framework", ["flask", "starlette", "django", "fastapi", "rest-framework"])
def test_a_path_that_needs_no_token_is_told_so(framework: str, verifier: AccessTokenVerifier) -> None:
    assert codes(audit_of(FRAMEWORKS[framework](verifier), "/optional", API)) == ["api_not_401"]
