"""A key is read once for as long as it is the same object."""

import pytest

from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key, private_jwk
from doorkey.protocol.cached_key import CachedKey
from doorkey.values import Secret
from tests.support.tracebacks import local_variables

SECRET = private_jwk(generate_key("ES256"))


def test_the_same_object_is_read_once_and_another_one_again() -> None:
    cache = CachedKey()
    first = cache.of(SECRET)
    assert cache.of(SECRET) is first
    assert cache.of(SECRET.reveal()) is first, "a Secret reveals one text"
    other = generate_key("ES256")
    assert cache.of(other).public_jwk() == other.public_jwk()
    again = cache.of(SECRET)
    assert again is not first
    assert again.public_jwk() == first.public_jwk()


def test_an_error_is_not_cached_and_shows_nothing_of_the_key() -> None:
    cache = CachedKey()
    for _ in range(2):
        with pytest.raises(UsageError) as caught:
            cache.of(Secret("-----BEGIN PRIVATE KEY-----\ndo-not-show"))
        assert "do-not-show" not in local_variables(caught.value)
    assert cache.of(SECRET).kty == "EC"
    assert "PRIVATE" not in repr(cache)
