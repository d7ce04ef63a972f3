"""The form that edits a user: conversion between the texts of its fields and a user."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorkey.dev.control_page.fields import fields, text_area, text_field
from doorkey.dev.registrations import user
from doorkey.errors import UsageError
from doorkey.pages.markup import EMPTY, Html, joined
from doorkey.server.registrations import User
from doorkey.server.responses.parameters import Parameters
from doorkey.values import Secret
from doorkey.wire.strict_json import JSONProblem, parse_object

CLAIMS = {
    "id_token_claims": "Claims of the ID token",
    "access_token_claims": "Claims of the access token",
    "userinfo_claims": "Claims of UserInfo",
}
_TEXTS = {"given_name": "Given name", "family_name": "Family name", "email": "Email"}
_EDITED = (*_TEXTS, "roles", *CLAIMS)
_NEW_CLAIMS = '{\n  "groups": ["staff"]\n}'

Values = Mapping[str, str]


def values_of(person: User | None) -> Values:
    """Return the text of each field for a user; None: the texts for a new user."""
    if person is None:
        return {"id_token_claims": _NEW_CLAIMS}
    texts = {name: getattr(person, name) or "" for name in _TEXTS}
    claims = {name: _json(getattr(person, name)) for name in CLAIMS}
    return {**texts, **claims, "roles": " ".join(person.roles)}


def sent_values(form: Parameters) -> Values:
    """Return the text of each field as the developer typed it, without the password."""
    return {name: form.get(name) or "" for name in ("username", *_EDITED)}


def user_fields(values: Values, *, is_new: bool) -> Html:
    """Return the fields of the form."""
    name = text_field("username", "User name", values.get("username", "")) if is_new else EMPTY
    about = "" if is_new else "Leave this empty to keep the password."
    password = text_field("password", "Password", kind="password", about=about)
    texts = [text_field(key, label, values.get(key, "")) for key, label in _TEXTS.items()]
    roles = text_field("roles", "Roles", values.get("roles", ""), about="Separate them with spaces.")
    areas = [text_area(key, label, values.get(key, ""), about="A JSON object.") for key, label in CLAIMS.items()]
    return joined((fields(name, password, *texts, roles), fields(*areas)))


def user_from(form: Parameters, person: User | None) -> User:
    """Return the user that a form describes. Raises `UsageError` for an invalid field.

    person: the user that is edited; None: a new user.
    """
    members: dict[str, Any] = {name: form.get(name) for name in _TEXTS}
    members |= {name: _claims(form.get(name), label) for name, label in CLAIMS.items()}
    roles, password = (form.get("roles") or "").split(), form.get("password")
    if person is not None:
        kept = person.password if password is None else Secret(password)
        return replace(person, password=kept, roles=tuple(roles), **members)
    username = form.get("username")
    if username is None:
        raise UsageError("The user needs a name.")
    if password is None:
        raise UsageError("The user needs a password.")
    return user(username, password, roles=roles, **members)


def _claims(text: str | None, label: str) -> dict[str, Any]:
    try:
        return parse_object((text or "{}").encode())
    except JSONProblem as problem:
        raise UsageError(f"{label}: {problem}. Write a JSON object.") from None


def _json(claims: Mapping[str, Any]) -> str:
    return json.dumps(dict(claims), indent=2, ensure_ascii=False) if claims else ""
