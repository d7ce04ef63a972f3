"""The tokens of an authorization server: how they are issued, signed and read back."""
