"""Protecting a Django application with validators, as programs written for Authlib do."""

from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.django_oauth2.resource_protector import (
        BearerTokenValidator,
        ResourceProtector,
        return_error_response,
        token_authenticated,
    )
except ModuleNotFoundError as missing:
    raise explained(missing) from None

__all__ = ["BearerTokenValidator", "ResourceProtector", "return_error_response", "token_authenticated"]
