"""The session family's shared half, and the import places that are named after specifications."""
