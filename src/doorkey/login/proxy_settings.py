"""The setting with which each framework trusts the headers of a reverse proxy, for messages to the developer."""

from __future__ import annotations

from typing import Final

FLASK: Final = "app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1) of werkzeug.middleware"
STARLETTE: Final = (
    "uvicorn --proxy-headers --forwarded-allow-ips=ADDRESS_OF_THE_PROXY, and a proxy that preserves the Host header"
)
DJANGO: Final = (
    'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") and USE_X_FORWARDED_HOST = True in the settings'
)
