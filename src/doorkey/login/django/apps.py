"""The Django application of the login: its label, and the names of its tables."""

from __future__ import annotations

from django.apps import AppConfig


class LoginConfig(AppConfig):
    """The application ``doorkey.login.django``."""

    name = "doorkey.login.django"
    label = "doorkey_login"
    verbose_name = "Logins"
    default_auto_field = "django.db.models.BigAutoField"
