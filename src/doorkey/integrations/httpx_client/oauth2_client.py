"""The import path of Authlib for the clients on httpx2 and httpx."""

from doorkey.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from doorkey.integrations.httpx_client.oauth2_auth import OAuth2Auth

__all__ = ["AsyncOAuth2Client", "OAuth2Auth", "OAuth2Client"]
