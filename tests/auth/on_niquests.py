"""What `test_niquests.py` has another interpreter do: `on_niquests.py <token_endpoint> <api> <elsewhere>`."""

import io
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from doorkey import ClientCredentials, OAuth2Auth
from doorkey.errors import UsageError


def chunks() -> Iterator[bytes]:
    yield b"piece"


def main() -> None:
    import niquests  # type: ignore[import-not-found, unused-ignore]  # pyright: ignore[reportMissingImports]

    library: Any = niquests
    token_endpoint, api, elsewhere = sys.argv[1:]

    def auth(**options: Any) -> OAuth2Auth:
        return OAuth2Auth(ClientCredentials("c", "s"), token_endpoint=token_endpoint, **options)

    told: dict[str, Any] = {}
    with library.Session() as session:
        session.auth = auth()
        told["plain"] = session.get(f"{api}/plain").status_code
        told["form"] = session.post(f"{api}/form", data={"a": "1"}).status_code
        told["json"] = session.post(f"{api}/json", json={"a": 1}).status_code
        told["generator"] = session.post(f"{api}/generator", data=chunks()).status_code
        told["file"] = session.post(f"{api}/file", data=io.BytesIO(b"content")).status_code
        told["plain"] = session.get(f"{api}/plain").status_code
        told["twice"] = session.get(f"{api}/twice").status_code
        told["redirect"] = session.get(f"{api}/redirect").status_code
        told["detour"] = session.get(f"{api}/detour").status_code
        told["own"] = session.get(f"{api}/own", headers={"Authorization": "Mine 1"}).status_code
    with library.Session() as session, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session.auth, session.proxies = auth(), {"http": api}
        told["proxied"] = [session.get("http://localhost:9/proxied").status_code for _ in range(2)]
    told["warned"] = [f"{one.category.__name__}: {one.message}" for one in caught]
    told["static"] = library.get(f"{api}/static", auth=OAuth2Auth({"access_token": "static-1"})).status_code
    told["query"] = library.get(f"{api}/query", auth=auth(token_placement="uri")).status_code
    told["body"] = library.post(f"{api}/body", data={"a": "1"}, auth=auth(token_placement="body")).status_code
    try:
        library.get(f"{elsewhere}/never", auth=auth(allowed_origins=[api]))
    except UsageError as error:
        told["elsewhere"] = str(error)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
