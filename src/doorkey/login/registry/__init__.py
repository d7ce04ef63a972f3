"""Registrations of providers for web frameworks (`OAuth.register`): options, names, settings, state."""
