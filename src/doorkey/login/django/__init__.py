"""Logins in a Django project: an application with a backend, middleware, routes and two tables."""

from __future__ import annotations

__all__: list[str] = []
