"""The routes of the login, for ``path("auth/", include("doorkey.login.django.urls"))``."""

from __future__ import annotations

from django.urls import path

from doorkey.login.django.views import respond
from doorkey.login.web.site import LOGIN, LOGOUT, ME

app_name = "doorkey_login"
urlpatterns = [
    *(path(route, respond, {"route": route}, name=route) for route in (LOGIN, LOGOUT, ME)),
    path("<path:route>", respond, name="route"),
]
