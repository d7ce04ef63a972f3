"""The recording is what the real Keycloak answers, today as when it was made."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.recordings.compare import RECORDED, differences, recorded
from tests.recordings.realm import Realm
from tests.recordings.scenarios import SCENARIOS, run
from tests.servers.handle import RealServer


@pytest.fixture(scope="module")
def realm(keycloak: RealServer) -> Iterator[Realm]:
    asked = Realm(keycloak.origin, keys=keycloak.keys)
    with asked.http:
        yield asked


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_real_keycloak_still_answers_as_recorded(name: str, realm: Realm) -> None:
    expected, seen = recorded()[name], run(name, realm)
    if name == "keys":
        seen["body"]["keys"] = of_algorithms(expected["body"]["keys"], seen["body"]["keys"])
    assert differences(expected, seen) == []


def of_algorithms(expected: list[dict[str, str]], seen: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the keys of the recorded algorithms: Keycloak makes more for what the clients of other tests ask for."""
    algorithms = [key["alg"] for key in expected]
    return sorted((key for key in seen if key["alg"] in algorithms), key=lambda key: algorithms.index(key["alg"]))


def test_every_scenario_is_recorded_and_nothing_else() -> None:
    assert list(recorded()) == list(SCENARIOS)


def test_the_recording_holds_no_token_and_no_address_of_a_run() -> None:
    text = RECORDED.read_text()
    assert not re.search(r"eyJ|[0-9a-f]{8}-[0-9a-f]{4}-|MII", text)
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == {"9499"}


def test_a_difference_is_reported_with_its_path() -> None:
    expected = {"status": 400, "body": {"error": "invalid_grant", "left": 1}}
    seen = json.loads('{"status": 400, "body": {"error": "invalid_client", "left": true}}')
    assert differences(expected, seen) == [
        'body.error: expected "invalid_grant", got "invalid_client"',
        "body.left: expected 1, got true",
    ]
    assert differences(expected, seen, allowed=["body.*"]) == []
    assert differences({}, {"more": None}) == ["more: expected nothing, got null"]
