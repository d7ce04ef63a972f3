"""An auth object that is constructed for each request requests a token for each: one warning names the fix."""

import warnings
from typing import Any

import pytest

from doorkey import ClientCredentials, OAuth2Auth
from doorkey.auth import token_sources
from doorkey.auth.repeated_construction import MOST, OFTEN, Repetitions

SERVER: dict[str, Any] = {"token_endpoint": "https://as.example/token"}


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> Repetitions:
    """The count of a process that has just started."""
    made = Repetitions()
    monkeypatch.setattr(token_sources, "repetitions", made)
    return made


def constructed(times: int, *others: str, **options: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(times):
            for secret in ("s", *others):
                OAuth2Auth(ClientCredentials("c", secret), **SERVER, **options)
    return caught


def test_one_warning_names_the_fix_and_the_line_that_constructs_the_object() -> None:
    assert constructed(OFTEN - 1) == []
    (warning,) = constructed(2 * OFTEN)
    assert "construct it once and share it" in str(warning.message)
    assert (warning.category, warning.filename) == (RuntimeWarning, __file__)


def test_objects_of_different_credentials_or_servers_are_not_counted_together() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(OFTEN):
            OAuth2Auth(ClientCredentials("c", str(number)), **SERVER)
            OAuth2Auth(ClientCredentials("c"), token_endpoint=f"https://as.example/{number}")


def test_credentials_that_come_back_among_others_are_still_counted() -> None:
    assert len(constructed(OFTEN, "another", "a third")) == 1


def test_a_bounded_number_of_credentials_is_counted(counted: Repetitions) -> None:
    for number in range(10 * MOST):
        counted.note(number)
    assert len(counted._counts) == MOST


def test_objects_that_share_a_source_or_a_token_are_not_counted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2 * OFTEN):
            OAuth2Auth({"access_token": "at-1"})
