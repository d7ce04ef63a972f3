"""The session of requests for one exchange: it uses the user's transport adapter, but no other setting of the user."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    _Session = requests.Session
else:  # requests-cache may have replaced `requests.Session` by a class that caches and must be initialized
    _Session = next(kind for kind in requests.Session.__mro__ if kind.__module__ == "requests.sessions")


class BareSession(_Session):
    """Sends through `adapter` without cookies, redirects or hooks.

    It is a session, because tests replace servers by a patch of `requests.Session.send` (as requests-mock does). If
    only the adapter were called, a secret of such a test would be sent to the real server.
    """

    def __init__(self, adapter: BaseAdapter) -> None:
        # `Session.__init__` is not called, because it would create connection pools that are not used.
        self.headers = CaseInsensitiveDict()
        self.auth, self.cert, self.proxies, self.params, self.hooks = None, None, {}, {}, {}
        self.verify, self.stream, self.trust_env, self.max_redirects = True, True, False, 0
        self.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=()))  # stores no cookies
        self.adapters = {"https://": adapter, "http://": adapter}

    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[Any]:
        """Return no redirects. `Session` would read the whole body of a redirect to compute the next request."""
        return iter(())
