"""Tokens of many accounts in a store, each renewed once across threads, processes and machines.

vault = TokenVault(SQLiteStore("tokens.db"), client_id="app", client_secret="…", token_endpoint="https://…/token")
vault.save("user-42", token); vault.source("user-42").token(); vault.client("user-42"); vault.forget("user-42")
"""

from doorkey.vault.sources import AsyncVaultSource, VaultSource
from doorkey.vault.vault import AsyncTokenVault, TokenVault

__all__ = ["AsyncTokenVault", "AsyncVaultSource", "TokenVault", "VaultSource"]
