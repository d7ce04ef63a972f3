"""Import paths named after specifications; nothing is defined here."""
