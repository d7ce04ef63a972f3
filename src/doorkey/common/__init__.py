"""Small helpers that users' programs import: URLs, encodings, random tokens."""
