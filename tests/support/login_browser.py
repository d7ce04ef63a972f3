"""A browser at a site with a `Login`, whose cookies it checks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.support import web_browser
from tests.support.web_sites import Page


class Browser(web_browser.Browser):
    """Fails a test in which a cookie is not as all cookies of a login are, or one that browsers reject."""

    def log_in(self, provider: Any, username: str = "alice", path: str = "/auth/login") -> Page:
        """Log in at an embedded provider, and return the response of the callback."""
        begun = self.get(path)
        assert begun.status == 303, begun.text
        return self.get(provider.log_in(begun.location, username))

    def keep(self, origin: str, header: str) -> None:
        pair, *rest = (part.strip() for part in header.split(";"))
        attributes = {part.lower().partition("=")[0]: part.lower().partition("=")[2] for part in rest}
        if attributes.get("max-age") != "0":
            secure, same_site = "secure" in attributes, attributes["samesite"]
            assert "httponly" in attributes
            assert "domain" not in attributes
            assert len(header) <= web_browser.LARGEST_COOKIE, "browsers drop a larger cookie"
            assert same_site in ("lax", "none")
            assert same_site != "none" or secure, "browsers reject it"
            if pair.startswith("__Host-"):
                assert secure
                assert attributes["path"] == "/"
                assert urlsplit(origin).scheme == "https", "browsers reject it"
        super().keep(origin, header)
