"""Requests of `doorkey curl` to an API: what is sent, when each step happened, and why the API rejects a token."""
