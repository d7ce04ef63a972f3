"""An origin whose host is not ASCII: named as people write it, or as DNS has it, it is the same."""

from types import ModuleType

import httpx
import httpx2
import pytest

from doorkey import OAuth2Auth
from doorkey.errors import UsageError

TOKEN = {"access_token": "at-1"}
libraries = pytest.mark.parametrize("library", [httpx2, httpx], ids=["httpx2", "httpx"])


@libraries
@pytest.mark.parametrize(
    "allowed", ["https://bücher.example", "https://BÜCHER.example", "https://xn--bcher-kva.example"]
)
def test_a_token_goes_to_an_allowed_origin_however_its_host_is_spelt(allowed: str, library: ModuleType) -> None:
    sent: list[str] = []

    def api(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers["Authorization"])
        answer: httpx2.Response = library.Response(200)
        return answer

    auth = OAuth2Auth(TOKEN, allowed_origins=[allowed])
    with library.Client(auth=auth, transport=library.MockTransport(api)) as client:
        assert client.get("https://bücher.example/").status_code == 200
    assert sent == ["Bearer at-1"]


@libraries
def test_a_host_that_older_rules_take_for_another_opens_neither(library: ModuleType) -> None:
    """IDNA 2003 maps straße.example to strasse.example. In IDNA 2008 they are two domains, possibly of two owners."""

    def never(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(request.url)

    auth = OAuth2Auth(TOKEN, allowed_origins=["https://straße.example"])
    with library.Client(auth=auth, transport=library.MockTransport(never)) as client:
        for url, named in (("https://strasse.example/", "strasse"), ("https://straße.example/", "xn--strae-oqa")):
            with pytest.raises(UsageError, match=f"may not be sent to https://{named}.example:443: add it"):
                client.get(url)
