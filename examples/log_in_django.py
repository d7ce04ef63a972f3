"""A Django project in one file, whose users log in at a provider."""

import sys

import django
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from django.utils.html import format_html

settings.configure(
    DEBUG=True,
    SECRET_KEY="a text of 32 or more random characters",
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
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
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "doorkey.login.django.LoginMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["doorkey.login.django.LoginBackend"],
    LOGIN_URL="doorkey_login:login",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True,
)
django.setup()

PAGE = """
<p>Hello {}, your address is {}.</p>
<form method="post" action="/auth/logout">
  <input type="hidden" name="csrfmiddlewaretoken" value="{}"><button>Log out</button>
</form>
"""


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the user."""
    return HttpResponse(format_html(PAGE, request.user.get_full_name(), request.user.email, get_token(request)))


urlpatterns = [path("", home), path("auth/", include("doorkey.login.django.urls"))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
