"""The shortcut API: routes, cookies, sessions, and the frameworks."""
