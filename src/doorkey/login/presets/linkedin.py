"""LinkedIn: client authentication without the code verifier, which its token endpoint rejects for web applications."""

from __future__ import annotations

from doorkey.protocol.client_auth import client_secret_post
from doorkey.protocol.client_identity import ClientIdentity, Headers, Signed
from doorkey.values import hides_locals
from doorkey.wire.messages import form_encoded
from doorkey.wire.parameters import parse_form


@hides_locals
def linkedin_client_auth(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
    """Return the request with ID and secret in its body, and without `code_verifier`.

    LinkedIn supports PKCE only for native applications, which have another authorization endpoint
    (learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow-native). For other applications, its
    token endpoint responds to a `code_verifier` with `invalid_client`, whether or not the authorization request had a
    code challenge (measured on 2026-09-21 in github.com/UsefulSoftwareCo/executor/issues/2087).
    """
    kept = form_encoded([pair for pair in parse_form(body) if pair[0] != "code_verifier"])
    return client_secret_post(client, method, uri, headers, kept)
