"""`DjangoStore`: records in the project's own database, through the connections that Django has opened.

Theory of operation. Each call is one or two statements. The WHERE of each write contains its condition: the version, or
an expired lease. So if two writes are concurrent, the database lets only one of them change the row. Within a
transaction of the project (`ATOMIC_REQUESTS`), the statements are part of the transaction. If the project rolls it
back, a renewed token is lost. `manage.py check` warns of that.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    transaction,
)
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Length

from doorkey import arguments
from doorkey.errors import StoreError, scrubbed
from doorkey.login.django.models import StoredRecord
from doorkey.runtime.clock import wall_time
from doorkey.stores.limits import (
    KEPT,
    MAX_DATA,
    MAX_VERSION,
    SWEEP_EVERY,
    TOO_LATE,
    check_commit,
    check_lease,
    checked_key,
    checked_lease,
    checked_record,
    new_owner,
    new_version,
    unusable,
)
from doorkey.stores.protocol import Lease, Record
from doorkey.values import NotPicklable

__all__ = ["DjangoStore"]


class DjangoStore(NotPicklable):
    """A store in a database of the Django project; ``manage.py migrate`` creates its table.

    using: the name of the database in the setting `DATABASES`.
    clock: returns seconds since the epoch, for the expiry of leases. None: time.time, so the machines of a project need
        clocks that agree within seconds.

    Its calls block. For a locked row or a database that does not respond, they wait as long as the project's connection
    does, so set timeouts in `OPTIONS` of `DATABASES`. Raises `UsageError` for an invalid argument.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS, *, clock: Callable[[], float] | None = None) -> None:
        self.using = arguments.nonempty_text(using, "using")
        self._clock = wall_time if clock is None else clock
        arguments.clock(self._clock)
        self._creations = itertools.count(1)

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None. Raises `StoreError`, and `RecordError` for an invalid record."""
        digest = _digest(key)
        with _translated():
            found = self._rows(digest).annotate(size=Length("data")).values_list("version", "size").first()
            if found is None or found[1] is None:
                return None
            if found[1] > MAX_DATA:
                raise unusable()
            row = self._rows(digest).values_list("version", "data").first()
        if row is None or row[1] is None:
            return None
        return checked_record(row[0], bytes(row[1]))

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds`. Return None if another caller holds it. Raises `StoreError`."""
        digest, lease = _digest(key), Lease(key, new_owner())
        check_lease(seconds)
        now = self._clock()
        held: dict[str, Any] = {"owner": _owner(lease), "leased_until": now + seconds}
        free = Q(leased_until__lte=now) | Q(leased_until__gt=now + TOO_LATE)
        with _translated():
            if self._rows(digest).filter(free).update(**held):
                return lease
            if self._rows(digest).exists():
                return None
            return lease if self._created(key=digest, version=0, gone_at=now, **held) else None

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` if the version is still `expected`. Return the new version, or 0. Raises `StoreError`.

        key: the key of the record.
        data: the new content; None: delete the record.
        expected: the version of the current record; 0: there is no record.
        """
        digest = _digest(key)
        check_commit(data, expected)
        with _translated():
            if expected == 0:
                return self._first(digest, data)
            same = self._rows(digest).filter(version=expected, data__isnull=False)
            gone_at = self._clock() if data is None else None
            return expected + 1 if same.update(version=expected + 1, data=data, gone_at=gone_at) else 0

    def release(self, lease: Lease) -> None:
        """Release `lease`. An expired lease is ignored. Raises `StoreError`."""
        held = checked_lease(lease)
        with _translated():
            self._rows(_digest(held.key)).filter(owner=_owner(held)).update(owner="", leased_until=0.0)

    def close(self) -> None:
        """Do nothing, because the connections belong to Django."""

    def _rows(self, digest: str) -> QuerySet[StoredRecord]:
        return StoredRecord.objects.using(self.using).filter(key=digest)

    def _created(self, **fields: Any) -> bool:
        try:
            with transaction.atomic(using=self.using):  # a savepoint, if the project has begun a transaction
                StoredRecord.objects.using(self.using).create(**fields)
        except IntegrityError:
            return False
        return True

    def _first(self, digest: str, data: bytes | None) -> int:
        """Commit the first version of a record. Replace a deleted record, or one that no commit can have written."""
        if next(self._creations) % SWEEP_EVERY == 0:
            self._sweep()
        if self._created(key=digest, version=1, data=data):
            return 1
        row = self._rows(digest).annotate(size=Length("data")).values_list("version", "size").first()
        if row is None:
            return 0
        version, size = row
        here = self._rows(digest).filter(version=version)
        is_valid = (0 if size is None else 1) <= version <= MAX_VERSION and (size or 0) <= MAX_DATA
        if is_valid and size is not None:
            return 0
        new = version + 1 if is_valid else new_version()
        if is_valid:
            return (
                new if here.filter(data__isnull=True).update(version=F("version") + 1, data=data, gone_at=None) else 0
            )
        return new if here.update(version=new, data=data, gone_at=None) else 0

    def _sweep(self) -> None:
        """Delete the rows of records that were deleted long ago."""
        now = self._clock()
        old = StoredRecord.objects.using(self.using).filter(gone_at__lt=now - KEPT, leased_until__lt=now)
        old.delete()


def _digest(key: str) -> str:
    return hashlib.sha256(checked_key(key).encode()).hexdigest()


def _owner(lease: Lease) -> str:
    """Return the content of the column `owner`: a hexadecimal digest, because MySQL ignores the case of letters."""
    return hashlib.sha256(lease.owner.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def _translated() -> Generator[None]:
    """Raise `StoreError` for an error of the database, without the values that it quotes."""
    try:
        yield
    except (DatabaseError, Error) as error:
        message = (
            f"the database of the project failed ({type(error).__name__}). If a table is missing, run manage.py migrate"
        )
        is_temporary = isinstance(error, OperationalError | InterfaceError)
        if is_temporary:
            message += ". Otherwise a row is locked, or the database cannot be reached: try again"
        cause = scrubbed(error)
        raise StoreError(message, retryable=is_temporary) from cause
