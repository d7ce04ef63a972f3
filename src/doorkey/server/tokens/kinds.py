"""The kinds of tokens, in the claim `typ`. No kind is taken for another."""

ACCESS, REFRESH, ID, LOGIN, CONSENT = "Bearer", "Refresh", "ID", "Login", "Consent"
"""`LOGIN` is a login in progress, which the login form holds, and `CONSENT` what the consent form holds."""
AT_JWT = "at+jwt"
"""The type of an access token of RFC 9068, in its header; such a token has no claim `typ`."""
