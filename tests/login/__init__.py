"""Logins: the core, the registries of the frameworks, the shortcut, and programs that use them."""
