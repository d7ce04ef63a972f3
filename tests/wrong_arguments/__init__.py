"""Arguments of every kind from a program, and responses of every kind from a server: only an `OAuthError` is raised."""
