"""doorkey on aiohttp: what its client middlewares look like. `doorkey.auth.OAuth2Auth` is one."""

from doorkey.integrations.aiohttp_client.face import AiohttpFace

__all__ = ["AiohttpFace"]
