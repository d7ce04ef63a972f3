"""The URLs of the Django applications of `tests.support.registries`: each request names its application."""

from __future__ import annotations

from typing import Any

from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def view(request: Any) -> Any:
    return request.environ["doorkey.world"].django_view(request)


urlpatterns = [re_path("", view)]
