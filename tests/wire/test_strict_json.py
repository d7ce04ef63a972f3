"""One JSON object, no duplicate members, no NaN, bounded nesting; and nothing but `JSONProblem` for all else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.wire.strict_json import MAX_DEPTH, JSONProblem, parse_object

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def problem_of(data: bytes, **options: Any) -> str:
    with pytest.raises(JSONProblem) as caught:
        parse_object(data, **options)
    return caught.value.problem


def test_an_object_is_read_as_json_says() -> None:
    assert parse_object(b' {"a": [1, 2.5, true, null, "\\u00e9"], "b": {"c": "}{"}} ') == {
        "a": [1, 2.5, True, None, "é"],
        "b": {"c": "}{"},
    }


@pytest.mark.parametrize(
    "data", [b"", b"{", b"<html>", b"\xff{}", b"{} {}", b"{'a': 1}", b'{"a": 1,}', b"\xef\xbb\xbf{}"]
)
def test_text_that_is_not_json_is_refused(data: bytes) -> None:
    assert problem_of(data) == "not_json"


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_nan_and_infinity_are_not_json(constant: bytes) -> None:
    assert problem_of(b'{"a": ' + constant + b"}") == "not_json"


def test_a_number_of_thousands_of_digits_is_a_problem_and_not_a_builtin_error() -> None:
    assert problem_of(b'{"a": ' + b"9" * 5000 + b"}") == "not_json"


@pytest.mark.parametrize("data", [b"[]", b"1", b'"text"', b"null", b"true"])
def test_json_that_is_no_object_is_named_so(data: bytes) -> None:
    assert problem_of(data) == "not_an_object"


@pytest.mark.parametrize("data", [b'{"a": 1, "a": 1}', b'{"o": {"a": 1, "a": 2}}', b'{"a": 1, "\\u0061": 2}'])
def test_a_repeated_member_is_refused_wherever_it_stands(data: bytes) -> None:
    assert problem_of(data) == "duplicate_member"


def test_nesting_is_bounded_before_anything_is_parsed() -> None:
    fits = b'{"a":' * (MAX_DEPTH - 1) + b"{}" + b"}" * (MAX_DEPTH - 1)
    assert isinstance(parse_object(fits), dict)
    assert problem_of(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}") == "too_deep"
    assert problem_of(b"[" * 1_000_000) == "too_deep"
    assert problem_of(b'{"a": [1]}', max_depth=1) == "too_deep"


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert parse_object(b'{"a": "' + b"[{" * 100 + b'\\"[[[\\\\"}') == {"a": "[{" * 100 + '"[[[\\'}


@pytest.mark.parametrize("unit", [b'\\"', b"\\", b'"', b"\\\\", b'"a', b"a"])
def test_a_body_of_the_largest_size_takes_no_time_whatever_it_repeats(unit: bytes) -> None:
    # Of 1 MiB of escaped quotes without an end, a careless pattern would try every beginning: half an hour.
    assert problem_of(b'{"' + unit * (1024 * 1024 // len(unit))) == "not_json"


@pytest.mark.parametrize("data", [b"hunter2", b'["hunter2"]', b'{"hunter2": 1, "hunter2": 1}', b'{"a": hunter2}'])
def test_a_problem_never_quotes_the_data(data: bytes) -> None:
    with pytest.raises(JSONProblem) as caught:
        parse_object(data)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text(), values, max_size=5))
def test_whatever_json_writes_is_read_back(members: dict[str, Any]) -> None:
    assert parse_object(json.dumps(members).encode(), max_depth=64) == members


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\0123456789eE+-.truefalsnn ', max_size=40).map(str.encode))
def test_no_bytes_bring_another_error_and_all_that_is_read_json_reads_the_same(data: bytes) -> None:
    try:
        ours = parse_object(data)
    except JSONProblem:
        return
    assert ours == json.loads(data)


@pytest.mark.parametrize("number", [b"1e400", b"-1e400"])
def test_a_number_beyond_the_range_of_a_double_is_refused_unless_it_is_asked_for(number: bytes) -> None:
    with pytest.raises(JSONProblem) as caught:
        parse_object(b'{"a": [%s]}' % number)
    assert caught.value.problem == "not_json"
    assert parse_object(b'{"a": %s}' % number, finite=False)["a"] in (float("inf"), float("-inf"))
    assert parse_object(b'{"a": 1.5e300}') == {"a": 1.5e300}
