"""The routes of the login, for ``path("auth/", include("doorkey.login.django.urls"))``."""

from __future__ import annotations

try:
    from django.urls import path

    from doorkey.login.django.views import respond
except ModuleNotFoundError as missing:
    from doorkey.runtime.extras import explained

    raise explained(missing) from None
from doorkey.login.web.site import LOGIN, LOGOUT, ME

app_name = "doorkey_login"
urlpatterns = [
    *(path(route, respond, {"route": route}, name=route) for route in (LOGIN, LOGOUT, ME)),
    path("<path:route>", respond, name="route"),
]
