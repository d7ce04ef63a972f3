"""OpenID Connect: who has logged in."""
