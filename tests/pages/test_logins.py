from collections.abc import Callable

import pytest

from doorkey.errors import UsageError
from doorkey.pages import choice_page, error_page, logged_out_page
from tests.support.page_reading import Page

HOSTILE = '"><img src=x onerror=alert(1)>'


def test_an_error_page_states_cause_and_fix_and_the_way_to_try_again() -> None:
    read = Page(
        error_page(
            "This login has expired",
            "You took longer than ten minutes.",
            "Log in again.",
            retry_url="/auth/login",
            developer_note="The cookie was not sent.",
            site="Shop",
        )
    )
    assert read.texts["h1"] == ["This login has expired"]
    assert read.texts["p"][1:] == ["You took longer than ten minutes.", "Log in again.", "The cookie was not sent."]
    assert read.all("a") == [{"class": "button", "href": "/auth/login"}]
    assert read.texts["summary"] == ["For the developer of this application"]


def test_an_error_page_may_have_neither_a_link_nor_a_note() -> None:
    read = Page(error_page("Problem", "Cause.", "Fix."))
    assert not read.all("a")
    assert not read.all("details")


def test_a_choice_page_links_to_each_provider_by_its_name() -> None:
    read = Page(choice_page([("Google", "/auth/login/google"), ("A & B", "/auth/login/a-b")]))
    assert [tag["href"] for tag in read.all("a")] == ["/auth/login/google", "/auth/login/a-b"]
    assert read.texts["a"] == ["Continue with Google", "Continue with A & B"]
    assert read.all("nav") == [{"aria-label": "Providers"}]


def test_a_page_after_logout_links_to_what_it_is_given() -> None:
    assert not Page(logged_out_page()).all("a")
    read = Page(logged_out_page(login_url="/auth/login", home_url="/"))
    assert [tag["href"] for tag in read.all("a")] == ["/auth/login", "/"]
    assert read.texts["p"][0] == "You are logged out."


@pytest.mark.parametrize(
    "page",
    [
        error_page(HOSTILE, HOSTILE, HOSTILE, retry_label=HOSTILE, retry_url="/", developer_note=HOSTILE, site=HOSTILE),
        choice_page([(HOSTILE, f"/{HOSTILE}".replace(" ", "+"))], title=HOSTILE, text=HOSTILE, site=HOSTILE),
        logged_out_page(site=HOSTILE),
    ],
)
def test_nothing_is_reflected_unescaped(page: str) -> None:
    read = Page(page)
    assert not read.all("img")
    assert not read.all("script")
    assert HOSTILE in read.text


def test_a_link_that_runs_code_is_refused() -> None:
    url = "javascript:alert(1)"
    makes: list[Callable[[], str]] = [
        lambda: error_page("t", "c", "f", retry_url=url),
        lambda: choice_page([("x", url)]),
        lambda: logged_out_page(login_url=url),
        lambda: logged_out_page(home_url=url),
    ]
    for make in makes:
        with pytest.raises(UsageError):
            make()
