import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import MismatchingStateError, UsageError, VerificationError
from doorkey.protocol.logout import check_logout_response, logout_parameters, logout_url

END = "https://as.example/logout"
HOME = "https://rp.example/bye"


def test_the_url_keeps_the_query_of_the_endpoint() -> None:
    url = logout_url(f"{END}?tenant=a", (("id_token_hint", "h.p.s"), ("state", "s")), (("ui_locales", "de"),))
    assert url == f"{END}?tenant=a&id_token_hint=h.p.s&state=s&ui_locales=de"


def test_an_extra_parameter_overrides_none_of_ours() -> None:
    with pytest.raises(UsageError, match="reserved"):
        logout_url(END, (("state", "s"),), (("state", "t"),))


def test_the_endpoint_is_https_except_on_loopback_and_hosts_that_are_named() -> None:
    with pytest.raises(UsageError, match="https"):
        logout_url("http://as.example/logout", ())
    assert logout_url("http://as.example/logout", (), http_hosts=("as.example",)) == "http://as.example/logout"


@pytest.mark.parametrize("response", [f"{HOME}?state=s", {"state": "s"}, f"{HOME}?a=1&state=s"])
def test_the_state_of_the_request_comes_back(response: Any) -> None:
    check_logout_response(response, state="s")


def test_a_request_without_a_state_gets_none_back() -> None:
    check_logout_response(HOME, state=None)
    with pytest.raises(MismatchingStateError):
        check_logout_response(f"{HOME}?state=s", state=None)


@pytest.mark.parametrize("response", [f"{HOME}?state=t", HOME, f"{HOME}?state=", {}])
def test_another_state_or_none_is_refused(response: Any) -> None:
    with pytest.raises(MismatchingStateError):
        check_logout_response(response, state="s")


def test_a_repeated_state_is_refused() -> None:
    with pytest.raises(VerificationError, match="more than once"):
        check_logout_response(f"{HOME}?state=s&state=s", state="s")


def test_front_channel_parameters_stand_there_once() -> None:
    assert logout_parameters(f"{HOME}?iss=https://as.example&sid=1&a=b&a=c")["sid"] == "1"
    for repeated in ("iss=a&iss=b", "sid=1&sid=1"):
        with pytest.raises(VerificationError, match="more than once"):
            logout_parameters(f"{HOME}?{repeated}")


@settings(deadline=None)
@given(st.text() | st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_no_builtin_error_comes_of_any_response(response: Any) -> None:
    with contextlib.suppress(VerificationError):
        check_logout_response(response, state="s")
    with contextlib.suppress(VerificationError):
        logout_parameters(response)
