"""Client authentication parameters in a request body: `client_id`, `client_secret`, `client_assertion`."""

from __future__ import annotations

from doorkey.values import hides_locals
from doorkey.wire.messages import form_encoded
from doorkey.wire.parameters import merged, not_in_query, parse_form


def add_assertion(body: str, assertion_type: str, assertion: str, client_id: str, uri: str = "") -> str:
    """Return the form `body` with a client assertion added (RFC 7521 §4.2).

    assertion_type: the URN of the type of the assertion.
    assertion: the signed JWT.
    client_id: the client's ID.
    uri: the URL of the endpoint. Parameters in its query are not repeated in the body.

    Raises `UsageError` if the body or the query has another value for one of the parameters.
    """
    return add_parameters(
        uri, body, client_id=client_id, client_assertion_type=assertion_type, client_assertion=assertion
    )


@hides_locals
def add_parameters(uri: str, body: str, **parameters: str) -> str:
    """Return the form `body` with the `parameters` of the client authentication at its end.

    Parameters that the body or the query of `uri` already has are not repeated. Raises `UsageError` if one of them has
    another value there.
    """
    there = parse_form(body)
    needed = not_in_query(uri, parameters.items())
    added = merged(there, needed, "the client authentication")[len(there) :]
    return "&".join(part for part in (body, form_encoded(added)) if part)
