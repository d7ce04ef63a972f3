"""Each test of this folder that takes `adapter` runs on all five; one that takes `site`, on the servers it names."""

from tests.support.session_fixtures import adapter, authority, embedded, names, server, site

__all__ = ["adapter", "authority", "embedded", "names", "server", "site"]
