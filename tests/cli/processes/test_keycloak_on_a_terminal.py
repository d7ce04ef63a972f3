"""The commands that talk to a server, at Keycloak, in a window of tmux with 80 columns."""

from __future__ import annotations

from tests.cli.processes.logins import log_in_by_device, log_in_by_pasting, run_and_keep
from tests.cli.processes.tmux import Tmux
from tests.servers.handle import RealServer


def test_a_login_by_device_code_or_by_pasting_is_used_inspected_and_ended(shell: Tmux, keycloak: RealServer) -> None:
    client = "--client-id client-1 --client-secret-stdin"
    log_in_by_device(shell, keycloak.issuer, client, "keycloak-login-device", "my-secret")
    log_in_by_pasting(shell, keycloak.issuer, "keycloak-login-paste")
    shell.run("export DOORKEY_CLIENT_SECRET=my-secret")
    userinfo = f"{keycloak.issuer}/protocol/openid-connect/userinfo"
    for picture, (command, status, expected) in {
        "token": ("doorkey token work", 0, ["ey"]),
        "inspect": ("doorkey token work | doorkey inspect", 0, ["access token: no problem found", "verified with the"]),
        "curl": (
            f"doorkey curl --account work {userinfo}",
            0,
            ['"preferred_username":"alice"', "200 OK", "first byte"],
        ),
        "curl-rejected": (f"doorkey curl {keycloak.origin}/admin/realms/master", 1, ["403"]),
        "doctor": (f"doorkey doctor {keycloak.issuer}", 0, ["✓ ok", "no failures"]),
        "trace": (
            f"doorkey trace {keycloak.issuer} --client-id client-1 --client-credentials",
            0,
            [r"1\. ", "→ POST ", "← status 200 in", "RFC 6749"],
        ),
        "run": ("doorkey run work -- sh -c 'echo ${#DOORKEY_TOKEN} characters'", 0, [r"\d{3,} characters"]),
        "accounts": ("doorkey accounts --default work", 0, [r"\* work ", "  tv "]),
        "status": ("doorkey status work", 0, ["logged in     yes", "refreshable   yes"]),
        "logout": ("doorkey logout work --revoke --end-session", 0, [r"Logged out of work\.", "/logout"]),
        "logout-device": ("doorkey logout --revoke", 0, [r"Logged out of tv\."]),
    }.items():
        run_and_keep(shell, f"keycloak-{picture}", command, expected, status)
