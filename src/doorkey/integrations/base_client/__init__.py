"""What every integration shares and programs import from here: the errors."""

from doorkey.integrations.base_client.errors import *  # noqa: F403  # one list, in `errors`
from doorkey.integrations.base_client.errors import __all__ as __all__
