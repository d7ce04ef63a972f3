"""The session family without an HTTP library: options, hooks, logins, and the operations as flows."""
