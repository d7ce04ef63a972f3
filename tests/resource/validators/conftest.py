"""An application, and a protector of the stored tokens."""

from __future__ import annotations

import pytest
from flask import Flask

from doorkey.integrations.flask_oauth2 import ResourceProtector
from tests.resource.validators.flask_app import MyBearerTokenValidator


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


@pytest.fixture
def require_oauth() -> ResourceProtector:
    protector = ResourceProtector()
    protector.register_token_validator(MyBearerTokenValidator())
    return protector
