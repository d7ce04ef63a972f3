"""The form of a callback in Starlette: bounded, and readable by the program before and afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request

from doorkey.errors import VerificationError
from doorkey.integrations.starlette_client.forms import posted_form
from doorkey.protocol.authorization import MAX_CALLBACK, callback_pairs

pytestmark = pytest.mark.anyio
FORM = urlencode([("code", "a code"), ("state", "s-1"), ("state", "s-2")]).encode()


def request(*chunks: bytes, length: str | None = None, ends: bool = True) -> Request:
    """Return a request whose body comes in `chunks`; with `ends` False, the browser closes the connection."""
    said: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    said.append({"type": "http.request", "body": b""} if ends else {"type": "http.disconnect"})
    messages = iter(said)

    async def receive() -> dict[str, Any]:
        return next(messages)

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    if length is not None:
        headers.append((b"content-length", length.encode()))
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def pairs(form: Any) -> Iterable[tuple[str, str]]:
    return callback_pairs(form)


@pytest.mark.parametrize("length", [str(len(FORM)), None])
async def test_a_form_is_read_with_repeated_names(length: str | None) -> None:
    form = await posted_form(request(FORM[:7], FORM[7:], length=length))
    assert pairs(form) == (("code", "a code"), ("state", "s-1"), ("state", "s-2"))


async def test_a_program_reads_the_body_before_and_afterwards() -> None:
    came = request(FORM, length=str(len(FORM)))
    assert await came.body() == FORM
    assert len(await posted_form(came)) == 2
    assert await came.body() == FORM


async def test_a_program_may_have_read_the_form() -> None:
    came = request(FORM, length=str(len(FORM)))
    assert (await came.form())["code"] == "a code"
    assert pairs(await posted_form(came)) == (("code", "a code"), ("state", "s-1"), ("state", "s-2"))


@pytest.mark.parametrize("length", ["1000000", "-1", "many"])
async def test_a_form_that_says_it_is_too_long_is_not_read(length: str) -> None:
    with pytest.raises(VerificationError, match="is longer than 65536 bytes"):
        await posted_form(request(length=length, ends=False))


async def test_a_form_without_a_length_is_read_up_to_the_bound() -> None:
    endless = request(*[b"x" * MAX_CALLBACK] * 2, ends=False)
    with pytest.raises(VerificationError, match="is longer than 65536 bytes"):
        await posted_form(endless)


@pytest.mark.parametrize("length", ["20", None])
async def test_a_form_that_breaks_off_is_refused(length: str | None) -> None:
    with pytest.raises(VerificationError, match="is incomplete"):
        await posted_form(request(b"code=", length=length, ends=False))


@pytest.mark.parametrize("body", [b"\xff=1", b"&".join(b"a=1" for _ in range(200))])
async def test_a_body_that_is_no_form_or_has_too_many_parameters_is_refused(body: bytes) -> None:
    with pytest.raises(VerificationError, match="is not a form, or has too many parameters"):
        await posted_form(request(body, length=str(len(body))))
