"""Django without a project on disk: its settings are those of one test."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def project(**settings: Any) -> Generator[None]:
    """Django with these settings, configured once for the process."""
    import django
    from django.conf import settings as configured
    from django.test import override_settings

    if not configured.configured:
        configured.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="of no use",
            USE_TZ=True,
            DATABASES={},
            INSTALLED_APPS=[],
            REST_FRAMEWORK={
                "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
                "DEFAULT_AUTHENTICATION_CLASSES": [],
                "UNAUTHENTICATED_USER": None,
            },
        )
        django.setup()
    with override_settings(**settings):
        yield
