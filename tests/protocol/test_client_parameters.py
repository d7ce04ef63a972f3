"""Client authentication parameters join a body once, and a caller cannot override them."""

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.client_parameters import add_assertion, add_parameters
from doorkey.wire.messages import form_encoded


@pytest.mark.parametrize("name", ["client_assertion", "client_assertion_type"])
def test_an_assertion_cannot_be_overridden(name: str) -> None:
    with pytest.raises(UsageError, match=f"'{name}' is reserved"):
        add_assertion(form_encoded([(name, "other")]), "urn:x", "a.b.c", "id")


def test_an_assertion_follows_the_body_with_its_type_and_the_client_id() -> None:
    assert add_assertion("grant_type=x", "urn:x", "a.b.c", "id") == (
        "grant_type=x&client_id=id&client_assertion_type=urn%3Ax&client_assertion=a.b.c"
    )


def test_a_parameter_that_the_query_already_has_is_not_repeated_in_the_body() -> None:
    assert add_parameters("https://as.example/token?client_id=id", "a=1", client_id="id") == "a=1"
