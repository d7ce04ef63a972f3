from doorkey.pages.layout import page
from doorkey.pages.markup import fill
from doorkey.pages.style import STYLE
from tests.support.page_reading import Page


def test_a_page_has_a_language_a_title_one_heading_and_landmarks() -> None:
    read = Page(page("A <heading>", fill("<p>{text}</p>", text="Some text"), site="The <app>"))
    assert read.all("html") == [{"lang": "en"}]
    assert read.texts["title"] == ["A <heading> · The <app>"]
    assert read.texts["h1"] == ["A <heading>"]
    assert len(read.all("main")) == len(read.all("header")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in read.all("meta")
    assert read.texts["style"] == [str(STYLE)]
    assert not read.all("script")


def test_a_page_may_have_another_title_and_no_site() -> None:
    read = Page(page("Log in", tab="Problem: Log in"))
    assert read.texts["title"] == ["Problem: Log in"]
    assert not read.all("header")


def test_a_page_with_a_list_is_wide_and_a_script_is_loaded_from_a_url() -> None:
    read = Page(page("Sessions", wide=True, script="https://as.example/continue.js"))
    assert read.all("body") == [{"class": "wide"}]
    assert read.all("script") == [{"src": "https://as.example/continue.js", "defer": None}]
