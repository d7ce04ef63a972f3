"""What an authorization server stores: the storage effects, and the stores that perform them."""
