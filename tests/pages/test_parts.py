from doorkey.pages.parts import (
    button_link,
    details,
    done,
    form,
    frames,
    hidden_fields,
    paragraph,
    problem,
    submit,
)
from tests.support.page_reading import Page

HOSTILE = '"><script>alert(1)</script>'


def test_a_problem_is_announced_and_escaped() -> None:
    read = Page(problem(HOSTILE))
    assert read.tags == [("p", {"class": "note", "role": "alert", "id": "problem"})]
    assert read.text == HOSTILE


def test_what_was_done_is_a_status() -> None:
    assert Page(done("You are logged out.")).all("p") == [{"class": "note good", "role": "status"}]


def test_a_paragraph_without_text_is_nothing() -> None:
    assert paragraph("") == ""
    assert paragraph("<b>") == "<p>&lt;b&gt;</p>"
    assert paragraph("x", soft=True) == '<p class="soft">x</p>'


def test_a_link_that_looks_like_a_button_keeps_its_url_and_label() -> None:
    read = Page(button_link("https://a.example/?x=1&y=2", HOSTILE, goes_on=True))
    assert read.all("a") == [{"class": "button", "id": "continue", "href": "https://a.example/?x=1&y=2"}]
    assert read.texts["a"] == [HOSTILE]
    assert Page(button_link("/", "x", other=True)).all("a") == [{"class": "button other", "href": "/"}]


def test_a_form_sends_its_fields_unchanged() -> None:
    read = Page(form("https://a.example/cb?x=1&y=2", [("state", HOSTILE), (HOSTILE, "v" * 5000)], submit("Go")))
    assert read.all("form") == [{"method": "post", "action": "https://a.example/cb?x=1&y=2"}]
    assert read.all("input") == [
        {"type": "hidden", "name": "state", "value": HOSTILE},
        {"type": "hidden", "name": HOSTILE, "value": "v" * 5000},
    ]
    assert hidden_fields([]) == ""


def test_a_button_may_have_a_value_a_kind_and_a_longer_name_for_a_screen_reader() -> None:
    assert submit("Log in") == '<button type="submit">Log in</button>'
    read = Page(submit("End", name="session", value=HOSTILE, other=True, about="Firefox", goes_on=True))
    assert read.all("button") == [
        {
            "type": "submit",
            "id": "continue",
            "class": "other",
            "name": "session",
            "value": HOSTILE,
            "aria-label": "End: Firefox",
        }
    ]


def test_details_are_folded_and_left_off_without_a_text() -> None:
    assert details("More", "") == ""
    read = Page(details("More", HOSTILE))
    assert read.texts == {"summary": ["More"], "p": [HOSTILE]}


def test_frames_load_urls_out_of_sight() -> None:
    read = Page(frames(["https://a.example/out?x=1&y=2"]))
    title = "Logging out of an application"
    assert read.tags == [("iframe", {"src": "https://a.example/out?x=1&y=2", "title": title, "hidden": None})]
