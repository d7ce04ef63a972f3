"""Requests of `doorkey curl` to an API: the request, the time of each step, and the reason for which the API rejects a
token."""
