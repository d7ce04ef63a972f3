"""A Django project whose users log in: mozilla-django-oidc."""

import os
import sys

import django
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import include, path

ENDPOINTS = f"{os.environ['ISSUER']}/protocol/openid-connect"

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
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    LOGIN_URL="oidc_authentication_init",
    LOGIN_REDIRECT_URL="/",
    OIDC_RP_CLIENT_ID="web-app",
    OIDC_RP_CLIENT_SECRET="its-secret",
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_OP_JWKS_ENDPOINT=f"{ENDPOINTS}/certs",
    OIDC_OP_AUTHORIZATION_ENDPOINT=f"{ENDPOINTS}/auth",
    OIDC_OP_TOKEN_ENDPOINT=f"{ENDPOINTS}/token",
    OIDC_OP_USER_ENDPOINT=f"{ENDPOINTS}/userinfo",
    USE_TZ=True,
)
django.setup()


@login_required
def home(request):
    """Greet the user."""
    return HttpResponse(f"Hello {request.user.email}")


urlpatterns = [path("", home), path("oidc/", include("mozilla_django_oidc.urls"))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
