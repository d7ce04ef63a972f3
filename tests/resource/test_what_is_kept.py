"""What a verifier keeps of tokens: a bounded number of results, found by the hash of the token, without the token."""

import gc
from hashlib import sha256

import pytest

from doorkey.resource import InvalidAccessToken
from tests.support.resource_server import ACTIVE, API, ASKING, ISSUER, OPAQUE, Api, Apis, Server, token

ENTRIES = 4


def asking(apis: Apis) -> Api:
    return apis(ISSUER, audience=API, introspection=ASKING, cache_entries=ENTRIES)


def keys_of_tokens(api: Api) -> set[bytes]:
    """Return the keys of the tokens that were verified."""
    cache = api.native._core._cache
    return {*cache._young, *cache._old}


def keys_of_responses(api: Api) -> set[bytes]:
    """Return the keys of the responses to introspection requests."""
    gc.collect()  # a response that is not kept is found again for as long as it exists
    responses = api.native._core._opaque._introspector._responses
    return {*responses._recent, *responses._pinned, *responses._all}


def test_many_opaque_tokens_take_no_more_entries_than_the_program_permits(apis: Apis, server: Server) -> None:
    api, texts = asking(apis), [f"opaque-{number}" for number in range(20)]
    server.tokens |= dict.fromkeys(texts, ACTIVE)
    for text in texts:
        assert api.verify(text).sub == "alice"
    assert 0 < len(keys_of_tokens(api)) <= ENTRIES
    assert 0 < len(keys_of_responses(api)) <= ENTRIES
    api.verify(texts[-1])
    assert server.asked == texts
    api.verify(texts[0])
    assert server.asked == [*texts, texts[0]]


def test_tokens_that_are_rejected_take_no_more_entries_either(apis: Apis, server: Server) -> None:
    api = asking(apis)
    for number in range(20):
        with pytest.raises(InvalidAccessToken):
            api.verify(f"opaque-{number}")
    assert len(server.asked) == 20
    assert keys_of_tokens(api) == set()
    assert 0 < len(keys_of_responses(api)) <= ENTRIES


def test_no_key_of_what_is_kept_contains_the_token(apis: Apis, server: Server) -> None:
    api, jwt = asking(apis), token()
    server.tokens[OPAQUE] = ACTIVE
    for text in (OPAQUE, jwt):
        api.verify(text)
    hashes = {text: sha256(text.encode()).digest() for text in (OPAQUE, jwt)}
    assert keys_of_tokens(api) == set(hashes.values())
    assert keys_of_responses(api) == {hashes[OPAQUE]}
