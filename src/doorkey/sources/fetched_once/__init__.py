"""The documents of an authorization server, metadata and keys: each is fetched once for all callers that need it."""
