"""The Django application of the login, which holds the login of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.core.signals import setting_changed

from doorkey.runtime.forks import ForkSafeLock

if TYPE_CHECKING:
    from doorkey.login.django.project import ProjectLogin

_SETTINGS = ("DOORKEY_LOGIN", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "ROOT_URLCONF", "DEBUG")


class LoginConfig(AppConfig):
    """The application ``doorkey.login.django``."""

    name = "doorkey.login.django"
    label = "doorkey_login"
    verbose_name = "Logins"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lock = ForkSafeLock()
        self._made: ProjectLogin | None = None

    def ready(self) -> None:
        """Register the checks of the settings."""
        from doorkey.login.django.checks import register_checks

        register_checks()
        setting_changed.connect(self._changed)

    def project_login(self) -> ProjectLogin:
        """Return the login of the project, created from its settings on first use. Raises `UsageError`."""
        made = self._made
        if made is None:
            from doorkey.login.django.project import login_of_settings

            with self._lock:
                made = self._made = self._made or login_of_settings()
        return made

    def _changed(self, *, setting: str, **_: object) -> None:
        if setting in _SETTINGS:
            self._made = None


def project_login() -> ProjectLogin:
    """Return the login of the project. Raises `UsageError`."""
    config = apps.get_app_config(LoginConfig.label)
    assert isinstance(config, LoginConfig)
    return config.project_login()
