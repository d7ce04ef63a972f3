"""Logins: begin one, finish it, and register providers for web frameworks."""
