"""The endpoints of an authorization server: one file each, all flows over the storage effects."""
