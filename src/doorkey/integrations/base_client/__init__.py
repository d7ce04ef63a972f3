"""The errors of every integration, at the import path that programs written for Authlib use."""

from doorkey.integrations.base_client.errors import *  # noqa: F403  # one list, in `errors`
from doorkey.integrations.base_client.errors import __all__ as __all__
