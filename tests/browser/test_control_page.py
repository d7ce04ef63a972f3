"""The control page of the embedded provider in Chromium: from a new user to a login, without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorkey.dev import Provider
from doorkey.integrations.requests_client import OAuth2Session
from tests.recordings.realm import Realm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.browser_fixtures import Shots


def test_every_part_of_the_control_page_is_accessible(chromium: Page, shots: Shots) -> None:
    with Provider(control_page=True) as provider:
        with OAuth2Session("client-1", "my-secret", token_endpoint=provider.token_endpoint) as session:
            session.fetch_token(username="alice", password="wonderland")
        chromium.goto(provider.origin)
        chromium.get_by_label("Which requests").select_option("Refresh")
        chromium.get_by_role("button", name="Make them fail").click()
        chromium.get_by_text("The next requests of this kind will fail.").wait_for()
        shots(chromium, "dev-page")
        chromium.get_by_role("link", name="Edit: alice").click()
        shots(chromium, "dev-user")
        chromium.get_by_label("Claims of UserInfo").fill("no JSON")
        chromium.get_by_role("button", name="Save").click()
        chromium.get_by_role("alert").wait_for()
        shots(chromium, "dev-user-problem")
        chromium.get_by_role("link", name="Back").click()
        chromium.get_by_role("link", name="Show the request log").click()
        shots(chromium, "dev-requests")
        chromium.goto(Realm(provider.origin).authorization_url())
        shots(chromium, "dev-login")
        provider.faults.clear()


def test_a_new_user_logs_in_without_a_password_and_without_scripts(browser_process: Browser) -> None:
    with Provider(control_page=True) as provider:
        context = browser_process.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(provider.origin)
        page.get_by_role("link", name="Add a user").click()
        page.get_by_label("User name").fill("carol")
        page.get_by_label("Password").fill("c")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Edit: carol").wait_for()
        page.get_by_role("button", name="Everything").click()
        page.get_by_text("Everything issued so far is no longer valid.").wait_for()
        page.route("http://127.0.0.1:9499/**", lambda route: route.fulfill(body="the application"))
        page.goto(Realm(provider.origin).authorization_url())
        page.get_by_role("button", name="Log in as carol").click()
        page.wait_for_url("http://127.0.0.1:9499/cb?*code=*")
        context.close()
