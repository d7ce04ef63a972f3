"""doorkey on aiohttp: what its client middlewares look like. `doorkey.auth.OAuth2Auth` is one."""

from doorkey.integrations.faces.aiohttp import AiohttpFace

__all__ = ["AiohttpFace"]
