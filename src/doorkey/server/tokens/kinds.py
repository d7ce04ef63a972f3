"""The kinds of tokens, in the claim `typ`. No kind is taken for another."""

ACCESS, REFRESH, ID, LOGIN = "Bearer", "Refresh", "ID", "Login"
"""`LOGIN` is a login in progress, which the login form holds."""
AT_JWT = "at+jwt"
"""The type of an access token of RFC 9068, in its header; such a token has no claim `typ`."""
