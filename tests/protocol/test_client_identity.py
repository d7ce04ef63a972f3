"""The identity of a client shows its id, and never its credential."""

from doorkey.protocol.client_identity import ClientIdentity
from doorkey.values import Secret


def test_the_secret_is_given_as_the_user_gave_it() -> None:
    key = object()
    assert ClientIdentity("id", Secret("s3cret-value"), "https://as.example", 0.0).client_secret == "s3cret-value"
    assert ClientIdentity("id", key, "https://as.example", 0.0).client_secret is key
    assert ClientIdentity("id", None, "https://as.example", 0.0).client_secret == ""


def test_a_repr_shows_the_id_alone() -> None:
    assert repr(ClientIdentity("id", Secret("s3cret-value"), "https://as.example", 0.0)) == "<ClientIdentity 'id'>"
