"""An application of Flask, and requests to it."""

from __future__ import annotations

from typing import Any

from flask import Flask, jsonify

from doorkey.integrations.flask_oauth2 import current_token
from doorkey.oauth2.rfc6750 import BearerTokenValidator
from tests.resource.validators.tokens import STORED, Token
from tests.support.framework_requests import Answer, Call, bearer, wsgi


class MyBearerTokenValidator(BearerTokenValidator):
    def authenticate_token(self, token_string: str) -> Token | None:
        return STORED.get(token_string)


def ask(app: Flask, token: str | None, path: str = "/user", **more: Any) -> Answer:
    return wsgi(app, Call(path, **more) if token is None else bearer(token, path=path, **more))


def profile() -> Any:
    return jsonify(current_token.user)
