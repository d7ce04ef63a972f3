"""The registered clients of an authorization server: how they authenticate, and what they may request."""
