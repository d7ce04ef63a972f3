"""The session of requests for one exchange: it has the user's transport adapter, and nothing else of the user's."""

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
else:  # another class may stand there by now (requests-cache's), which keeps answers and expects to be initialized
    _Session = next(kind for kind in requests.Session.__mro__ if kind.__module__ == "requests.sessions")


class BareSession(_Session):
    """Sends through `adapter` without cookies, redirects or hooks.

    It is a session, and not the adapter alone, because tests stand in for servers by patching `requests.Session.send`
    (requests-mock does): a secret of theirs must not leave for the real server.
    """

    def __init__(self, adapter: BaseAdapter) -> None:
        # Not `Session.__init__`: it would make pools of connections that are not used.
        self.headers = CaseInsensitiveDict()
        self.auth, self.cert, self.proxies, self.params, self.hooks = None, None, {}, {}, {}
        self.verify, self.stream, self.trust_env, self.max_redirects = True, True, False, 0
        self.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=()))  # takes none
        self.adapters = {"https://": adapter, "http://": adapter}

    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[Any]:
        """Say that there is none: `Session` would read the whole body of a redirect to tell the next request."""
        return iter(())
