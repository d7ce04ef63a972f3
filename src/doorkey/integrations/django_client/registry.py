"""`OAuth`: the registry of a Django project."""

from __future__ import annotations

from typing import Any, ClassVar

from doorkey.integrations.django_client.apps import DjangoOAuth2App
from doorkey.integrations.django_client.integration import DjangoIntegration
from doorkey.login.registry.apps import UnsupportedOAuth1App
from doorkey.login.registry.registry import BlockingOAuth


class OAuth(BlockingOAuth):
    """The providers at which a Django project logs users in. Their settings are in `DOORKEY_OAUTH_CLIENTS`.

    cache: the store of pending logins, in place of Django's session. It has `get(key)`, `set(key, value, expires)` and
        `delete(key)`, as a Django cache does.
    fetch_token: ``fetch_token(name, request)`` returns the stored token of the user who sent the request, or None.
    update_token: ``update_token(name, token, refresh_token=None, access_token=None)`` stores a renewed token. It is
        called with the replaced refresh token or access token.
    """

    oauth1_client_cls: ClassVar[Any] = UnsupportedOAuth1App
    oauth2_client_cls: ClassVar[Any] = DjangoOAuth2App
    framework_integration_cls: ClassVar[Any] = DjangoIntegration
