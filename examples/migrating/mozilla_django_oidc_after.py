"""A Django project whose users log in: doorkey."""

import os
import sys

import django
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import include, path

settings.configure(
    DEBUG=True,
    SECRET_KEY="a text of 32 or more random characters",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "project.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "doorkey.login.django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "doorkey.login.django.LoginMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["doorkey.login.django.LoginBackend"],
    LOGIN_URL="doorkey_login:login",
    LOGIN_REDIRECT_URL="/",
    DOORKEY_LOGIN={"issuer": os.environ["ISSUER"], "client_id": "web-app", "client_secret": "its-secret"},
    USE_TZ=True,
)
django.setup()


@login_required
def home(request):
    """Greet the user."""
    return HttpResponse(f"Hello {request.user.email}")


urlpatterns = [path("", home), path("auth/", include("doorkey.login.django.urls"))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
