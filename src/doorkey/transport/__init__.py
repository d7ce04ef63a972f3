"""One request to an authorization server, within bounds, on each HTTP library."""
