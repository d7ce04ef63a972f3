"""OpenID Connect: the identity of the user who has logged in."""
