"""Create both tables."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Identities and stored records."""

    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]  # noqa: RUF012  # Django's own form
    operations = [  # noqa: RUF012
        migrations.CreateModel(
            name="StoredRecord",
            fields=[
                ("key", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(editable=False)),
                ("data", models.BinaryField(null=True)),
                ("owner", models.CharField(default="", editable=False, max_length=64)),
                ("leased_until", models.FloatField(default=0.0, editable=False)),
                ("gone_at", models.FloatField(db_index=True, editable=False, null=True)),
            ],
            options={"verbose_name": "stored record"},
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("key", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ("iss", models.TextField(editable=False, verbose_name="issuer")),
                ("sub", models.TextField(editable=False, verbose_name="subject")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="doorkey_identities",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={"verbose_name": "identity", "verbose_name_plural": "identities"},
        ),
    ]
