"""Call the API: without a token, with a token that lacks the scope, and with the right one."""

import os

import requests

from doorkey import ClientCredentials, OAuth2Auth

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080/realms/master")
API = os.environ.get("API", "http://localhost:8000")

with requests.Session() as api:
    answer = api.get(f"{API}/orders")
    print(answer.status_code, answer.headers["WWW-Authenticate"])

    api.auth = OAuth2Auth(ClientCredentials("reports", "its-secret"), issuer=ISSUER)
    answer = api.get(f"{API}/orders")
    print(answer.status_code, answer.headers["WWW-Authenticate"])

    api.auth = OAuth2Auth(ClientCredentials("reports", "its-secret", ("orders:read",)), issuer=ISSUER)
    answer = api.get(f"{API}/orders")
    print(answer.status_code, answer.json())
