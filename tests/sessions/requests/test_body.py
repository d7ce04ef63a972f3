"""`body=` of a token request beside keyword arguments: what both say is said once."""

from __future__ import annotations

import pytest

from doorkey.errors import UsageError
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, token


def test_a_parameter_that_body_and_keywords_share_is_sent_once(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    client = adapter.client("id", "secret", scope="from-the-session")
    client.fetch_token(hostile.token_endpoint, body="scope=read&audience=api", audience="api")
    sent = hostile.to("/token")[0].body.decode()
    assert sorted(sent.split("&")) == ["audience=api", "grant_type=client_credentials", "scope=read"]


def test_body_and_keywords_that_disagree_are_a_usage_error(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client("id", "secret")
    with pytest.raises(UsageError, match="audience"):
        client.fetch_token(hostile.token_endpoint, body="audience=one", audience="two")
    assert hostile.to("/token") == []
