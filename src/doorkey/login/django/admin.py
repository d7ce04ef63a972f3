"""The identities in the admin, where users can view and delete them, but not change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from doorkey.login.django.models import Identity

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Identity]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(Identity)
class IdentityAdmin(_ModelAdmin):
    """Shows each identity with its user of the project."""

    list_display = ("user", "iss", "sub", "created_at")
    readonly_fields = ("iss", "sub", "user", "created_at")
    search_fields = ("sub",)
    list_select_related = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False, because only a login adds an identity."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, because a changed identity would belong to another user of the provider."""
        return False
