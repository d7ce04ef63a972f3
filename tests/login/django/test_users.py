"""Which user of a project a login belongs to: the exact pair (`iss`, `sub`) decides, and nothing else."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("django_site")

ISS = "https://issuer.example"
KNOWN = {
    "preferred_username": "alice",
    "given_name": "Alice",
    "family_name": "Liddell",
    "email": "alice@example.com",
    "email_verified": True,
}


def user_of(iss: str = ISS, sub: str = "user-1", **known: Any) -> Any:
    from doorkey.login.django.users import user_of_identity

    return user_of_identity(iss, sub, {**KNOWN, **known})


def users() -> Any:
    from django.contrib.auth.models import User

    return User.objects


def test_the_first_login_creates_a_user_without_a_password_or_rights() -> None:
    user = user_of()
    assert user.username.startswith("alice-")
    assert (user.first_name, user.last_name, user.email) == ("Alice", "Liddell", "alice@example.com")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser
    assert user.is_active


def test_the_next_login_is_of_the_same_user_with_the_newest_names() -> None:
    first = user_of()
    again = user_of(family_name="Hargreaves", preferred_username="someone-else", email="new@example.com")
    assert again.pk == first.pk
    assert again.username == first.username
    again.refresh_from_db()
    assert (again.last_name, again.email) == ("Hargreaves", "new@example.com")
    assert users().count() == 1


def test_names_that_the_provider_does_not_send_stay() -> None:
    first = user_of()
    again = user_of(family_name=None, given_name=7, email=None)
    assert again.pk == first.pk
    assert (again.first_name, again.last_name, again.email) == ("Alice", "Liddell", "alice@example.com")


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_is_not_stored(verified: object) -> None:
    assert user_of(email_verified=verified).email == ""


@pytest.mark.parametrize(
    ("iss", "sub"),
    [
        (ISS, "User-1"),
        (ISS, "user-1 "),
        (ISS, "user-2"),
        ("https://ISSUER.example", "user-1"),
        (f"{ISS}/", "user-1"),
        ("https://other.example", "user-1"),
        (f"{ISS}user", "-1"),
    ],
)
def test_another_issuer_or_subject_is_another_user_whatever_else_is_equal(iss: str, sub: str) -> None:
    assert user_of().pk != user_of(iss, sub).pk


def test_a_user_with_the_same_address_or_name_is_another_user() -> None:
    local = users().create_user("alice", "alice@example.com", "a password")
    found = user_of()
    assert found.pk != local.pk
    local.refresh_from_db()
    assert local.check_password("a password")


def test_a_username_is_never_that_of_a_user_who_is_there() -> None:
    from doorkey.login.django.models import identity_key

    key = identity_key(ISS, "user-1")
    users().create_user(f"ALICE-{key[:8]}")
    found = user_of()
    assert found.username == f"alice-{key[:20]}"


@pytest.mark.parametrize("name", [None, "", "<b>…</b>", "a" * 500, "../../etc", 7])
def test_any_claim_makes_a_valid_username(name: object) -> None:
    user = user_of(preferred_username=name, given_name="x" * 500)
    user.full_clean(exclude=["password"])


def test_no_user_is_created_where_that_is_turned_off() -> None:
    from doorkey.login.django.users import user_of_identity

    assert user_of_identity(ISS, "user-1", KNOWN, create=False) is None
    assert users().count() == 0
    user = user_of()
    assert user_of_identity(ISS, "user-1", KNOWN, create=False) == user


def test_a_login_that_another_process_finishes_at_the_same_time_makes_one_user() -> None:
    from django.db import connection, connections

    overtaken: list[Any] = []

    def overtake() -> None:
        try:
            overtaken.append(user_of())
        finally:
            connections.close_all()  # those of this thread

    def after_the_first_query(execute: Any, *query: Any) -> Any:
        result = execute(*query)
        if not overtaken:
            thread = threading.Thread(target=overtake)
            thread.start()
            thread.join(60)
        return result

    with connection.execute_wrapper(after_the_first_query):
        user = user_of()
    assert user == overtaken[0]
    assert users().count() == 1


def test_groups_follow_the_claim_and_other_groups_stay() -> None:
    from django.contrib.auth.models import Group

    from doorkey.login.django.users import claim_values, set_groups

    user = user_of()
    user.groups.add(Group.objects.create(name="of the project"))
    names = {"/editors": "editors", "/staff": "staff"}

    def groups() -> set[str]:
        return set(user.groups.values_list("name", flat=True))

    set_groups(user, claim_values({"groups": ["/editors", "/staff", "/unknown"]}, "groups"), names)
    assert groups() == {"of the project", "editors", "staff"}
    set_groups(user, claim_values({"realm_access": {"roles": ["/staff"]}}, ("realm_access", "roles")), names)
    assert groups() == {"of the project", "staff"}
    set_groups(user, claim_values({"groups": "/staff"}, "groups"), names)
    assert groups() == {"of the project"}


def test_the_migrations_are_those_of_the_models() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "doorkey_login", check=True, dry_run=True, verbosity=0)


def test_an_identity_with_a_character_that_postgresql_refuses_has_a_user() -> None:
    from doorkey.login.django.models import Identity
    from doorkey.login.django.users import user_of_identity

    first = user_of_identity("https://op.example", "ali\0ce", {})
    assert user_of_identity("https://op.example", "ali\0ce", {}).pk == first.pk
    assert user_of_identity("https://op.example", "alice", {}).pk != first.pk
    assert {one.sub for one in Identity.objects.all()} == {"alice"}


def test_an_email_address_that_is_too_long_is_no_username() -> None:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.db import connection, models

    from doorkey.login.django.users import _username

    class Member(AbstractBaseUser):
        email: models.EmailField[str, str] = models.EmailField(max_length=40, unique=True)
        USERNAME_FIELD = "email"

        class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
            app_label = "members"

    with connection.schema_editor() as editor:
        editor.create_model(Member)
    try:
        for address, name in (
            ("alice@example.com", "alice@example.com"),
            (f"{'a' * 40}@example.com", f"{'0' * 16}@login.invalid"),
        ):
            assert _username(Member, "0" * 64, {"email": address, "email_verified": True}) == name
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Member)
