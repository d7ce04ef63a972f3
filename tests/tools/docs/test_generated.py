"""The pages that are made from the code are complete: no option without a meaning, no error without cause and fix."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from doorkey.errors import OAuthError
from tests.support.django_project import project
from tests.test_public_api import PUBLIC, names_of
from tools.docs import errors, options, reference
from tools.docs.docstrings import about, markdown, parameters, prose
from tools.docs.names import modules


@pytest.fixture(autouse=True, scope="module")
def django_project() -> Iterator[None]:
    with project(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "doorkey.login.django"]):
        yield


@pytest.mark.parametrize("name", [name for group in options.GROUPS.values() for name in group])
def test_each_option_has_a_line_of_its_own(name: str) -> None:
    found = list(options.constructors(name))
    assert found, f"no public module has {name}: correct GROUPS in tools/docs/options.py"
    silent = [option.name for value in found for option in options.options(value) if not option.meaning]
    assert silent == [], f"describe each of these parameters on a line of its own in the docstring of {name}"


def test_the_options_of_a_session_include_those_that_its_signature_only_unpacks() -> None:
    [session] = options.constructors("OAuth2Session")
    rows = {option.name: option for option in options.options(session)}
    assert rows["client_id"].default == "`None`"
    assert rows["exchange"].annotation == "ExchangePolicy | None"
    assert "`ExchangePolicy`" in rows["exchange"].meaning
    assert "requests.Session" in rows["verify"].meaning


def test_each_error_has_a_cause_and_a_fix() -> None:
    assert len(errors.classes()) > 50
    assert [kind.__name__ for kind in errors.classes() if not errors.cause(kind)] == []
    assert [kind.__name__ for kind in errors.classes() if not errors.fix(kind)] == [], "add a line to fixes.toml"


def test_each_fix_is_that_of_an_error() -> None:
    assert errors.fixes().keys() - {kind.__name__ for kind in errors.classes()} == set()


def test_each_code_has_an_entry_of_the_reference() -> None:
    page = errors.page()
    assert [kind.code for kind in errors.classes() if f"### `{kind.code}`: {kind.__name__} " not in page] == []
    assert OAuthError in errors.classes()


def test_each_public_name_is_in_the_reference() -> None:
    pages = reference.pages()
    for module in PUBLIC:
        page = pages[f"reference/{module}.md"]
        missing = [
            name
            for name in names_of(modules()[module])
            if f"`{name}`" not in page and not isinstance(getattr(modules()[module], name), type(re))
        ]
        assert missing == [], module


def test_a_parameter_is_read_from_a_line_of_its_own() -> None:
    lines = "Do it.\n\nfirst, second: seconds\n    of both.\nthird (or other): text.\n\nRaises `UsageError`."
    assert parameters(lines) == {
        **dict.fromkeys(("first", "second"), "seconds of both."),
        **dict.fromkeys(("third", "other"), "text."),
    }
    assert about(lines, "third") == "text."
    assert about("Do it with `one`. `two` is the seconds before it.", "two") == ""


def test_what_looks_like_markup_is_escaped_outside_of_code() -> None:
    assert prose("a <b> *c* [d] `<e>`", lambda _: None) == r"a &lt;b> \*c\* \[d\] `<e>`"


def test_a_public_name_becomes_a_link() -> None:
    assert prose("see `Here` and `there`", {"Here": "page.md#Here"}.get) == "see [`Here`](page.md#Here) and `there`"


def test_a_drawing_stays_as_it_is() -> None:
    assert markdown("Tree:\n\n    a\n    ├─ *b*\n", lambda _: None) == "Tree:\n\n```text\na\n├─ *b*\n```\n"
