"""The accounts of the command line, with their clients and their tokens, in one encrypted store.

Theory of operation. `tokens.sqlite` has one record `accounts`, which lists every account with its client, and one
record for the token of each login. Both are sealed with the store's key, so that no other program can change the server
to which a refresh token is sent. A change of the accounts is committed only over the version that was read, so that
parallel commands do not overwrite each other's changes. A new login of an account gets a new token record, and the
account refers to that record only after it has been written to the disk.
"""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.home import home, make_home, storage_errors
from doorkey.cli.read_only_store import ReadOnlyStore, is_read_only
from doorkey.cli.space_reserving_store import FILE as RESERVE
from doorkey.cli.space_reserving_store import SpaceReservingStore
from doorkey.cli.store_key import FILE as KEY
from doorkey.cli.store_key import StoreKey, delete_key, store_key
from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError, RecordError, StoreError, TokenExpiredError
from doorkey.stores import Sealer, SQLiteStore
from doorkey.stores.private_file import COMPANIONS, check_directory, create, identity
from doorkey.values import Secret
from doorkey.wire.strict_json import JSONProblem, parse_object
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.tokens import OAuth2Token, OAuthToken
    from doorkey.vault import TokenVault
    from doorkey.vault.entry import Entry

__all__: list[str] = []

STORE: Final = "tokens.sqlite"
RECORD: Final = "accounts"
FORMAT: Final = 1
TRIES: Final = 20
_TEXTS: Final = ("issuer", "client_id", "scope", "token_key")
_SECRETS: Final = ("client_secret", "registration_token")


@dataclass(frozen=True, slots=True)
class Account:
    """One login: its name, its issuer and client, the requested scope, and the key of its token's record.

    registration_uri, registration_token: the URL and the token for deleting the client at the server (RFC 7592); None
        if no login registered the client.
    """

    name: str
    issuer: str
    client_id: str
    scope: str = ""
    client_secret: Secret | None = None
    token_key: str = ""
    registration_uri: str | None = None
    registration_token: Secret | None = None

    def members(self) -> dict[str, Any]:
        """Return the JSON members that the record `accounts` has for this account."""
        kept: dict[str, Any] = {name: getattr(self, name) for name in (*_TEXTS, "registration_uri")}
        secrets: dict[str, Secret | None] = {name: getattr(self, name) for name in _SECRETS}
        return kept | {name: secret.reveal() if secret else None for name, secret in secrets.items()}

    @classmethod
    def of(cls, name: str, members: Mapping[str, Any]) -> Account:
        """Return the account `name` from its JSON members. Raises `RecordError` for members of another type."""
        texts: dict[str, Any] = {member: members.get(member) for member in _TEXTS}
        others: dict[str, Any] = {member: members.get(member) for member in (*_SECRETS, "registration_uri")}
        is_valid = all(isinstance(text, str) for text in texts.values())
        if not is_valid or not all(isinstance(text, str | None) for text in others.values()):
            raise RecordError("of the accounts has an account whose members have unexpected types")
        secrets: dict[str, Any] = {one: Secret(others[one]) if others[one] else None for one in _SECRETS}
        return cls(name, **texts, **(others | secrets))


@dataclass(frozen=True, slots=True)
class Book:
    """The content of the record: the accounts by name, in the order of their logins, and the name of the default."""

    accounts: Mapping[str, Account]
    default: str | None = None

    def packed(self) -> bytes:
        """Return the data of the record, as JSON."""
        accounts = {name: account.members() for name, account in self.accounts.items()}
        return json.dumps({"version": FORMAT, "default": self.default, "accounts": accounts}).encode()

    @classmethod
    def unpacked(cls, data: bytes) -> Book:
        """Return the book from the data of the record. Raises `RecordError` for invalid data and for a newer format."""
        try:
            members = parse_object(data)
        except JSONProblem:
            raise RecordError("of the accounts is not JSON") from None
        version, default = members.get("version"), members.get("default")
        accounts: Any = members.get("accounts")
        if isinstance(version, int) and version > FORMAT:
            raise RecordError("of the accounts was written by a newer version of doorkey: upgrade doorkey")
        if version != FORMAT or not isinstance(accounts, dict) or not isinstance(default, str | None):
            raise RecordError("of the accounts has an unexpected structure")
        given = cast("dict[str, Any]", accounts)
        return cls({name: Account.of(name, one) for name, one in given.items()}, default)

    def with_account(self, account: Account) -> Book:
        """Return the book with `account` added or replaced. It becomes the default if there is no default."""
        return Book({**self.accounts, account.name: account}, self.default or account.name)

    def without(self, name: str) -> Book:
        """Return the book without the account `name`. If it was the default, the first remaining account follows."""
        left = {other: account for other, account in self.accounts.items() if other != name}
        return Book(left, self.default if self.default != name else next(iter(left), None))


class Accounts:
    """The accounts in a directory. The store is opened at its first use.

    path: the directory; None means `home()`.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._home = home() if path is None else path
        self._opened: tuple[SQLiteStore, StoreKey, Sealer] | None = None
        self._vaults: dict[str, TokenVault] = {}

    @property
    def key_place(self) -> str:
        """The place of the store's key, in words for the user; empty if there is no store."""
        opened = self._open(may_make=False)
        return opened[1].place if opened else ""

    def prepare(self) -> None:
        """Create the directory, the key and the store, and check that the store can be written to. Raises
        `CommandError`."""
        opened = self._open(may_make=True)
        assert opened is not None, "may_make"
        with storage_errors():
            lease = opened[0].try_lease("writable", 1.0)
            if lease is not None:
                opened[0].release(lease)

    def check_writable(self) -> None:
        """Check before a login that its tokens can be saved. If there is no store yet, the check leaves no file behind.

        Raises `CommandError`.
        """
        if self._open(may_make=False) is not None:
            self.prepare()
            return
        with storage_errors():
            make_home(self._home)
            try:
                check_directory(self._home / STORE)
                probe = self._home / f".{secrets.token_hex(8)}"
                create(probe)
                probe.unlink()
            finally:
                with suppress(OSError):  # not empty: it has a key, or another command's store
                    self._home.rmdir()

    def book(self) -> Book:
        """Return all accounts. Raises `CommandError`."""
        return self._load()[0]

    def find(self, name: str | None) -> Account:
        """Return the account `name`, or the default account for None. Raises `CommandError` if it does not exist."""
        book = self.book()
        if not book.accounts:
            raise CommandError("you are not logged in: run 'doorkey login ISSUER'", ExitStatus.NOT_LOGGED_IN)
        found = book.accounts.get(name or book.default or "")
        if found is None:
            names = ", ".join(book.accounts)
            raise CommandError(f"there is no account {name!r}; the accounts are: {names}", ExitStatus.NOT_LOGGED_IN)
        return found

    def save(self, account: Account, token: OAuth2Token) -> Account:
        """Save the `token` of a new login, then the `account`. Return the account with the key of its token's record.

        The token of an account with the same name is deleted. Raises `CommandError`.
        """
        self.prepare()
        saved = replace(account, token_key=f"token:{secrets.token_hex(8)}")
        with storage_errors():
            self.vault(saved).save(saved.token_key, token)
        before = self._change(lambda book: book.with_account(saved))
        replaced = before.accounts.get(account.name)
        if replaced is not None:
            self._forget(replaced)
        return saved

    def set_default(self, name: str) -> None:
        """Make the account of this name the default. Raises `CommandError`."""
        self.find(name)
        self._change(lambda book: Book(book.accounts, name if name in book.accounts else book.default))

    def remove(self, account: Account) -> None:
        """Delete the account and its token. Raises `CommandError`."""
        self._change(lambda book: book.without(account.name))
        self._forget(account)

    def delete_everything(self) -> None:
        """Delete the store with every account, and its key, even if the store is unreadable. Raises `CommandError`."""
        self.close()
        with storage_errors():
            delete_key(self._home)  # first, so that a command that opens the store meanwhile fails
            for name in (*(STORE + suffix for suffix in ("", *COMPANIONS)), RESERVE):
                (self._home / name).unlink(missing_ok=True)

    def vault(self, account: Account) -> TokenVault:
        """Return the vault of the account's token. It renews a token once for all processes."""
        from doorkey.vault import TokenVault

        vault = self._vaults.get(account.token_key)
        if vault is None:
            opened = self._open(may_make=False)
            assert opened is not None, "an account was found in it"
            store, _, sealer = opened
            secret = account.client_secret.reveal() if account.client_secret else None
            vault = self._vaults[account.token_key] = TokenVault(
                store, client_id=account.client_id, client_secret=secret, issuer=account.issuer, sealer=sealer
            )
        return vault

    def fresh_token(self, account: Account, *, instead_of: OAuthToken | None = None) -> OAuthToken:
        """Return a token that may be sent now. An expired token is renewed, once for all processes.

        instead_of: a token to replace, because an API rejected it or its ID token has expired.

        Raises `CommandError` if the login has ended, and the errors of the store and of the server.
        """
        source = self.vault(account).source(account.token_key)
        if instead_of is not None:
            source.reject(instead_of)
        try:
            return source.token()
        except (InvalidGrant, MissingTokenError, TokenExpiredError) as error:
            raise _ended(account, error) from error

    def entry(self, account: Account) -> Entry | None:
        """Return the stored token of the account, without a renewal. Return None if the store has no token for it."""
        from doorkey.vault.entry import Codec

        opened = self._open(may_make=False)
        assert opened is not None, "an account was found in it"
        store, _, sealer = opened
        with storage_errors():
            record = store.load(account.token_key)
            codec = Codec(account.client_id, account.issuer, sealer)
            return codec.read(account.token_key, record) if record else None

    def close(self) -> None:
        """Close the store, and the connections of the vaults."""
        for vault in self._vaults.values():
            vault.close()
        self._vaults.clear()
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    def __enter__(self) -> Accounts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, *, may_make: bool) -> tuple[SQLiteStore, StoreKey, Sealer] | None:
        if self._opened is None:
            path = self._home / STORE
            with storage_errors():
                if may_make:
                    make_home(self._home)
                has_store = path.exists()
                key = store_key(self._home, may_make=may_make and not has_store)
                if key is None and has_store:
                    _check_empty(path)
                    has_store, key = False, store_key(self._home, may_make=may_make)
                if key is None or not (has_store or may_make):
                    return None
                made = identity(self._home / KEY)
                store = _store_at(path)
                if made is None or identity(self._home / KEY) != made:
                    store.close()
                    raise StoreError("another command has deleted the accounts: run this one again")
            self._opened = store, key, Sealer({key.name: key.value}, key.name, context="doorkey command line")
        return self._opened

    def _load(self) -> tuple[Book, int]:
        opened = self._open(may_make=False)
        if opened is None:
            return Book({}), 0
        store, _, sealer = opened
        with storage_errors():
            record = store.load(RECORD)
            if record is None:
                return Book({}), 0
            return Book.unpacked(sealer.open(RECORD, record.data, version=record.version)), record.version

    def _change(self, change: Callable[[Book], Book]) -> Book:
        """Commit the book that `change` returns, and return the book before the change.

        `change` is called again if another command has committed meanwhile.
        """
        opened = self._open(may_make=True)
        assert opened is not None, "may_make"
        store, _, sealer = opened
        with storage_errors():
            for _ in range(TRIES):
                book, version = self._load()
                data = sealer.seal(RECORD, change(book).packed(), version=version + 1)
                if store.commit(RECORD, data, expected=version) == version + 1:
                    return book
            raise StoreError("other commands keep changing the accounts: try again")

    def _forget(self, account: Account) -> None:
        with storage_errors():
            self.vault(account).forget(account.token_key)


def _store_at(path: Path) -> SQLiteStore:
    return ReadOnlyStore(path) if is_read_only(path) else SpaceReservingStore(path)


def _check_empty(path: Path) -> None:
    """Raise `CommandError` if a store without a key has records. An empty store is treated as missing."""
    store = _store_at(path)
    try:
        with store._connection.used() as db:
            found = db.execute("SELECT 1 FROM record WHERE data IS NOT NULL").fetchone()
    finally:
        store.close()
    if found is not None:
        raise CommandError(
            f"the key of the token store is missing, so {path} cannot be read: 'doorkey logout --all' deletes it, so "
            "that you can log in again",
            ExitStatus.STORAGE,
        )


def login_command(account: Account) -> str:
    """Return the command that logs the account in again, quoted for a shell."""
    return shlex.join(["doorkey", "login", shown_url(account.issuer), "--account", account.name])


def _ended(account: Account, error: OAuthError) -> CommandError:
    why = f" ({error})" if isinstance(error, InvalidGrant) else ""
    return CommandError(
        f"the login of the account {account.name!r} has ended{why}: run '{login_command(account)}'",
        ExitStatus.NOT_LOGGED_IN,
    )
