"""The session family's shared half, and the import places of programs written against OAuth 2 specifications by number."""
