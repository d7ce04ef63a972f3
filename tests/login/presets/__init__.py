"""Presets: the table, its claims, and logins at servers that answer as the providers document."""
