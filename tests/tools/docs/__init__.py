"""The documentation site: what it is built from, and the check of what was built."""
