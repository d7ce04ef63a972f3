"""The storage of an authorization server: the storage effects, and the stores that perform them."""
