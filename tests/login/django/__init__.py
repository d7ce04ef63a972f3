"""The shortcut of Django: its store, its users, and its routes."""
