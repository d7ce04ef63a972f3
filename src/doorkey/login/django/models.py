"""The tables of the login: the identities of the project's users, and the records of a `DjangoStore`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import models


def identity_key(iss: str, sub: str) -> str:
    """Return the digest of the pair (`iss`, `sub`), which identifies it in the database.

    It is a digest, because some databases ignore case when they compare text, and `Alice` is not `alice`
    (CVE-2024-32879).
    """
    return hashlib.sha256(json.dumps([iss, sub]).encode("ascii")).hexdigest()


class Identity(models.Model):
    """Links a user of a provider, the exact pair of `iss` and `sub` and nothing else, to a user of the project."""

    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True, editable=False)
    iss: models.TextField[str, str] = models.TextField("issuer", editable=False)
    sub: models.TextField[str, str] = models.TextField("subject", editable=False)
    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="doorkey_identities", verbose_name="user"
    )
    created_at: models.DateTimeField[Any, Any] = models.DateTimeField(auto_now_add=True)

    class Meta:  # noqa: D106  # Django's own form
        verbose_name = "identity"
        verbose_name_plural = "identities"

    def __str__(self) -> str:
        return f"{self.sub} at {self.iss}"


class StoredRecord(models.Model):
    """A record of a `DjangoStore`. Its key is a digest, because databases differ in how they compare text."""

    key: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True, editable=False)
    version: models.BigIntegerField[int, int] = models.BigIntegerField(editable=False)
    data: models.BinaryField[Any, Any] = models.BinaryField(null=True, editable=False)
    owner: models.CharField[str, str] = models.CharField(max_length=64, default="", editable=False)
    leased_until: models.FloatField[float, float] = models.FloatField(default=0.0, editable=False)
    gone_at: models.FloatField[Any, Any] = models.FloatField(null=True, db_index=True, editable=False)

    class Meta:  # noqa: D106  # Django's own form
        verbose_name = "stored record"

    def __str__(self) -> str:
        return self.key[:8]
