"""Give each user of the project the identity that the provider knows. Run it once: manage.py shell < FILE."""

import csv
import os

from django.contrib.auth import get_user_model

from doorkey.login.django.models import Identity, identity_key

ISSUER = os.environ["ISSUER"]
with open("users.csv", newline="") as exported:  # the username of the project, and `sub` of the provider
    for username, subject in csv.reader(exported):
        found = {"iss": ISSUER, "sub": subject, "user": get_user_model().objects.get(username=username)}
        Identity.objects.get_or_create(key=identity_key(ISSUER, subject), defaults=found)
