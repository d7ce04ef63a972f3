"""Advisories about logins: where a user goes afterwards."""

import pytest

from doorkey.login import LoginClient, PendingLogin

CLIENT = LoginClient(
    "c",
    authorization_endpoint="https://as.example/authorize",
    token_endpoint="https://as.example/token",
    redirect_uri="https://rp.example/cb",
)


@pytest.mark.parametrize("target", ["\\\\evil.example", "https:///evil.example", "//evil.example", "/\\evil.example"])
def test_cve_2021_32618_a_target_that_browsers_repair_to_another_site_is_not_kept(target: str) -> None:
    begun = CLIENT.begin(next=target)
    assert begun.pending.next == "/"
    assert PendingLogin.from_dict({**begun.pending.to_dict(), "next": target}).next == "/"


@pytest.mark.parametrize("target", ["/\\evil.example", "/\\\\\\evil.example", "\\/evil.example", "/\t/evil.example"])
def test_cve_2023_49438_a_target_with_backslashes_or_tabs_is_not_kept(target: str) -> None:
    begun = CLIENT.begin(next=target)
    assert begun.pending.next == "/"
    assert PendingLogin.from_dict({**begun.pending.to_dict(), "next": target}).next == "/"
