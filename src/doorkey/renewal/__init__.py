"""When a token is renewed, by which caller, and exactly once for any number of callers."""
