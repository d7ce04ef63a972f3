"""Creates (again) the user and the clients. Safe to run on every start."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")
import django

django.setup()
from django.contrib.auth import get_user_model
from django.core.management import call_command
from oauth2_provider.models import get_application_model

call_command("migrate", verbosity=0)
User, App = get_user_model(), get_application_model()
# Each worker of pytest-xdist has a user of its own: `auth_time` is the last login of the user, on any session.
for name in ("alice", *(f"alice-gw{number}" for number in range(16))):
    user, _ = User.objects.get_or_create(
        username=name, defaults={"email": "alice@example.test", "first_name": "Alice", "last_name": "Example"}
    )
    user.set_password("wonderland")
    user.save()

CB = "http://127.0.0.1:9499/cb"
CODE, PASSWORD, CLIENT = App.GRANT_AUTHORIZATION_CODE, App.GRANT_PASSWORD, App.GRANT_CLIENT_CREDENTIALS
# One grant type per client is how django-oauth-toolkit works.
for client_id, secret, kind, grant, extra in [
    ("web", "web-secret", "confidential", CODE, {"algorithm": "RS256"}),
    (
        "web-hs256",
        "web-hs256-secret-of-at-least-32-bytes",
        "confidential",
        CODE,
        {"algorithm": "HS256", "hash_client_secret": False},
    ),
    ("pub", "", "public", CODE, {"algorithm": "RS256"}),
    ("machine", "machine-secret", "confidential", CLIENT, {}),
    ("odd:id +1", "p%41+q/r:s&t=u v", "confidential", CLIENT, {}),
    ("pw", "pw-secret", "confidential", PASSWORD, {}),
    ("tv", "", "public", App.GRANT_DEVICE_CODE, {"algorithm": "RS256"}),
    ("hybrid", "hybrid-secret", "confidential", App.GRANT_OPENID_HYBRID, {"algorithm": "RS256"}),
    ("implicit", "implicit-secret", "confidential", App.GRANT_IMPLICIT, {"algorithm": "RS256"}),
]:
    App.objects.filter(client_id=client_id).delete()
    App.objects.create(
        client_id=client_id,
        client_secret=secret,
        client_type=kind,
        authorization_grant_type=grant,
        name=client_id,
        redirect_uris="" if grant in (CLIENT, PASSWORD) else CB,
        post_logout_redirect_uris="http://127.0.0.1:9499/bye",
        **extra,
    )
