"""Registrations of providers for web frameworks, as `OAuth.register` makes them: options, names, settings, state."""
