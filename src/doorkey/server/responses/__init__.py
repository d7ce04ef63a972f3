"""The requests and responses of an authorization server as values: parameters, pages, redirects, errors."""
