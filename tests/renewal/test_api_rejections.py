"""An API that rejects the replacement of a rejected token causes no renewal; its verdict counts for itself alone."""

from doorkey.renewal.api_rejections import MOST, Refusals
from doorkey.values import Secret

TOKEN, NEXT = Secret("at-2"), Secret("at-3")


def refused(*origins: str) -> Refusals:
    made = Refusals()
    for origin in origins:
        made.note(origin)
    made.replaced_by(TOKEN)
    return made


def test_whoever_refused_the_last_token_and_this_one_is_final() -> None:
    made = refused("a")
    assert made.is_final(TOKEN, "a")
    assert not made.is_final(TOKEN, "b")
    assert not made.is_final(NEXT, "a")


def test_what_one_api_has_taken_another_may_still_refuse() -> None:
    made = refused("a", "b")
    made.taken("b")
    assert made.is_final(TOKEN, "a")
    assert not made.is_final(TOKEN, "b")


def test_two_apis_that_refuse_every_token_end_each_others_tries() -> None:
    made = refused("a")
    made.note("b")
    made.replaced_by(NEXT)
    assert made.is_final(NEXT, "a")
    assert made.is_final(NEXT, "b")


def test_once_every_api_has_taken_it_no_token_is_unproven() -> None:
    made = refused("a")
    made.taken("b")
    assert made.unproven == TOKEN
    made.taken("a")
    assert made.unproven is None


def test_a_handful_of_apis_is_remembered() -> None:
    made = refused(*map(str, range(MOST + 1)))
    assert not made.is_final(TOKEN, "0")
    assert all(made.is_final(TOKEN, str(one)) for one in range(1, MOST + 1))
