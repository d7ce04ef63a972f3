"""Web programs that log users in, as users of the registries write them: one for each framework.

The package is a parameter, because the programs are Authlib's too: `site("flask", "authlib", …)` shows whether an
attack that doorkey stops is one. Routes: `/login`, `/callback`, `/api`, `/userinfo`, `/logout`, `/logged-out`, and
`/age`, which makes the pending logins of this browser older. A program answers errors of the package with status 400
and every other exception with 500, both as JSON.
"""

from tests.support.login_programs.programs import FRAMEWORKS, Program, settings, site

__all__ = ["FRAMEWORKS", "Program", "settings", "site"]
