"""Client authentication by assertion, imported by the number of the specification (RFC 7523)."""

from doorkey.protocol.client_assertion import ClientSecretJWT, PrivateKeyJWT

__all__ = ["ClientSecretJWT", "PrivateKeyJWT"]
