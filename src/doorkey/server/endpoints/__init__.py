"""The endpoints of an authorization server: one file each. All are flows over the storage effects."""
