"""Call an API from many tasks with one token."""

import asyncio

import httpx2

from doorkey import ClientCredentials, OAuth2Auth
from doorkey.dev import Provider


async def main(provider: Provider) -> None:
    """Send ten requests at the same time."""
    auth = OAuth2Auth(ClientCredentials("client-1", "my-secret"), issuer=provider.issuer)
    async with httpx2.AsyncClient(auth=auth) as api:
        answers = await asyncio.gather(*(api.get(provider.echo) for _ in range(10)))
    print("ten calls:", {answer.status_code for answer in answers})
    print("token requests:", provider.token_requests)


with Provider() as provider:
    asyncio.run(main(provider))
