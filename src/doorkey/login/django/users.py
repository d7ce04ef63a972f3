"""Find or create the project's user for a finished login, by the pair (`iss`, `sub`) and never by email."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, models, router, transaction

from doorkey.login.django.models import Identity, identity_key

_FIELDS: Final = {"given_name": "first_name", "family_name": "last_name"}
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_TRIES: Final = 3
_LONG: Final = 1000
"""The maximum characters for a field without a limit."""
_SHORTEST: Final = 30
"""The minimum length of a username field that has room for a name and a digest."""


def user_of_identity(iss: str, sub: str, known: Mapping[str, Any], *, create: bool = True) -> Any:
    """Return the user of the identity (`iss`, `sub`), or None if there is no such user.

    known: the claims about the user. The name and the verified email address of the user are updated at each login,
        because the provider has the current values.
    create: whether to create a missing user, with an unusable password.
    """
    key = identity_key(iss, sub)
    found = _identity(key)
    for _ in range(_TRIES if create else 0):
        if found is not None:
            break
        found = _created(key, iss, sub, known) or _identity(key)
    if found is None:
        return None
    user: Any = found.user
    fields = _fields(type(user), known, user.pk)
    if changed := [name for name, value in fields.items() if getattr(user, name) != value]:
        for name in changed:
            setattr(user, name, fields[name])
        user.save(update_fields=changed)
    return user


def _created(key: str, iss: str, sub: str, known: Mapping[str, Any]) -> Identity | None:
    """Create the identity and its user in one transaction; None if another process created one of them meanwhile.

    The transaction reads nothing before it writes, because SQLite would not let it wait for another transaction then.
    """
    user = _new_user(key, known)
    try:
        with transaction.atomic(using=router.db_for_write(Identity)):
            user.save()
            # PostgreSQL does not store NUL characters
            shown = {name: value.replace("\0", "") for name, value in (("iss", iss), ("sub", sub))}
            return Identity.objects.create(key=key, user=user, **shown)
    except IntegrityError:
        return None


def set_groups(user: Any, values: Iterable[str], names: Mapping[str, str]) -> None:
    """Make `user` a member of the groups for the claim's `values`, and of no other group in `names`.

    names: the names of the project's groups by the values of the claim. The membership in other groups stays unchanged.
    """
    wanted = {names[value] for value in values if value in names}
    managed = set(names.values())
    memberships: Any = user.groups
    have = set(memberships.filter(name__in=managed).values_list("name", flat=True))
    memberships.remove(*Group.objects.filter(name__in=have - wanted))
    memberships.add(*(Group.objects.get_or_create(name=name)[0] for name in sorted(wanted - have)))


def claim_values(known: Mapping[str, Any], path: str | Iterable[str]) -> tuple[str, ...]:
    """Return the strings of a list claim. `path` is the name of the claim, or the names that lead to a nested claim."""
    found: Any = known
    for name in (path,) if isinstance(path, str) else path:
        found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
    several = cast("list[Any]", found) if isinstance(found, list | tuple) else []
    return tuple(value for value in several if isinstance(value, str))


def _identity(key: str) -> Identity | None:
    return Identity.objects.select_related("user").filter(key=key).first()


def _new_user(key: str, known: Mapping[str, Any]) -> Any:
    """Return a user that is not saved yet."""
    model: Any = get_user_model()
    user = model(**{model.USERNAME_FIELD: _username(model, key, known)}, **_fields(model, known, None))
    user.set_unusable_password()
    return user


def _username(model: Any, key: str, known: Mapping[str, Any]) -> str:
    """Return a username that no user has, if there is one.

    For a field of email addresses, it is the verified address of the user, if that is free. Otherwise it contains a
    digest, so that a user cannot choose the username of another user.
    """
    field = model._meta.get_field(model.USERNAME_FIELD)
    room = field.max_length or 150
    candidates = [f"{key[:size]}@login.invalid" for size in (16, 40)]
    if isinstance(field, models.EmailField):
        candidates = [address for address in (_address(known),) if address and len(address) <= room] + candidates
    else:
        given = known.get("preferred_username")
        name = _NOT_IN_A_NAME.sub("-", given if isinstance(given, str) else "").strip("-.") or "user"
        candidates = [f"{name[: max(room - size - 1, 0)]}-{key[:size]}"[:room] for size in (8, 20)]
        if room < _SHORTEST:
            candidates = []
        candidates.append(key[:room])
    for candidate in candidates:
        if not model._default_manager.filter(**{f"{model.USERNAME_FIELD}__iexact": candidate}).exists():
            return candidate
    return candidates[-1]


def _address(known: Mapping[str, Any]) -> str | None:
    """Return the email address if the provider has verified it."""
    address = known.get("email")
    return address if isinstance(address, str) and known.get("email_verified") is True else None


def _fields(model: Any, known: Mapping[str, Any], own: Any) -> dict[str, str]:
    """Return the values of the model's fields from the claims, for the user with the primary key `own`.

    An email address is ignored if the provider has not verified it, or if it must be unique and another user has it.
    """
    values = {ours: known.get(theirs) for theirs, ours in _FIELDS.items()}
    email, address = model.get_email_field_name(), _address(known)
    if address is not None and len(address) > _room(model, email):
        address = None  # a truncated address would be another address
    if email != model.USERNAME_FIELD and not _is_of_another(model, email, address, own):
        values[email] = address
    rooms = {name: _room(model, name) for name in values}
    texts = {name: value.replace("\0", "") for name, value in values.items() if isinstance(value, str)}
    return {name: value[: rooms[name]] for name, value in texts.items() if rooms[name]}


def _is_of_another(model: Any, email: str, address: str | None, own: Any) -> bool:
    if address is None or not _room(model, email) or not model._meta.get_field(email).unique:
        return False
    return bool(model._default_manager.filter(**{email: address}).exclude(pk=own).exists())


def _room(model: Any, name: str) -> int:
    """Return the maximum length of a field; 0 if the model has no such field."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return 0
    length: int | None = getattr(field, "max_length", None)
    return length or _LONG
