"""Every question, for the real Keycloak and for anything that says it answers like it.

    for name in SCENARIOS:
        problems = differences(recorded()[name], run(name, Realm(origin)))

They need there, each client with the redirect URI `http://127.0.0.1:9499/cb`:

- the administrator `admin`/`admin` with the public client `admin-cli`; `alice`/`wonderland`, without rights;
- the confidential client `client-1`/`my-secret`: all grants, and an optional scope `scope-1` that puts
  `resource-server` in the audience;
- the confidential client `resource-server`/`resource-server-secret`; both may exchange tokens;
- the confidential client `assertion-client`/`assertion-secret`, which may bring assertions of the issuer
  `https://robots.example` about the user `robot`, its `robot-7`, signed by `rs256.pem` of the realm's `keys`;
- the public client `public-native`, for which PKCE with S256 is required.

The realm `rotating` at the same origin has the same, and a refresh token works once there.

No scenario leaves anything behind that another would notice.
"""

from tests.recordings import (
    scenarios_in_use,
    scenarios_of_assertions,
    scenarios_of_exchanges,
    scenarios_of_logins,
    scenarios_of_requests,
    scenarios_of_tokens,
)
from tests.recordings.asking import SCENARIOS, run

__all__ = [
    "SCENARIOS",
    "run",
    "scenarios_in_use",
    "scenarios_of_assertions",
    "scenarios_of_exchanges",
    "scenarios_of_logins",
    "scenarios_of_requests",
    "scenarios_of_tokens",
]
