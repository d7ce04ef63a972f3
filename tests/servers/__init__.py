"""Real servers on loopback, for tests: Keycloak, oidc-provider, django-oauth-toolkit; Redis, PostgreSQL, MariaDB.

`python -m tests.servers install` installs them once into a cache folder; `python -m tests.servers run
keycloak` runs one in front. Tests use the fixtures of tests/support/server_fixtures.py, or
`tests.servers.running.started` for a server with settings of its own.
"""
