"""`OAuth`: the registry of a Django project."""

from __future__ import annotations

from typing import Any, ClassVar

from doorkey.integrations.django_client.apps import DjangoOAuth2App
from doorkey.integrations.django_client.integration import DjangoIntegration
from doorkey.login.registry.apps import UnsupportedOAuth1App
from doorkey.login.registry.registry import BlockingOAuth


class OAuth(BlockingOAuth):
    """The providers that a Django project logs in at. Settings are read from `DOORKEY_OAUTH_CLIENTS`.

    cache: where pending logins are stored, in place of Django's session: it has `get(key)`, `set(key, value, expires)`
        and `delete(key)`, as the caches of Django.
    fetch_token: ``fetch_token(name, request)`` returns the token that is stored for the user of a request, or None.
    update_token: ``update_token(name, token, refresh_token=None, access_token=None)`` stores a renewed token; the other
        argument is the refresh token or access token that it replaces.
    """

    oauth1_client_cls: ClassVar[Any] = UnsupportedOAuth1App
    oauth2_client_cls: ClassVar[Any] = DjangoOAuth2App
    framework_integration_cls: ClassVar[Any] = DjangoIntegration
