"""The kinds of tokens, in the claim `typ`. No kind is accepted in place of another."""

ACCESS, REFRESH, ID, LOGIN, CONSENT = "Bearer", "Refresh", "ID", "Login", "Consent"
"""`LOGIN` is a login in progress, sealed into the login form; `CONSENT` is a consent, sealed into the consent form."""
AT_JWT = "at+jwt"
"""The `typ` in the header of an access token of RFC 9068. Such a token has no claim `typ`."""
