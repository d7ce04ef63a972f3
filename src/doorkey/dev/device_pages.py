"""The pages of a login on another device: the form for its code, the question to the user, and the result."""

from __future__ import annotations

from dataclasses import replace

from doorkey.dev.account_pages import scope_list
from doorkey.dev.client_names import ClientNames
from doorkey.dev.pages import SITE, too_often
from doorkey.pages.layout import page
from doorkey.pages.markup import EMPTY, attribute, fill, joined
from doorkey.pages.parts import done, form, paragraph, problem, submit
from doorkey.server.endpoints.consent import ACCEPT, CANCEL
from doorkey.server.endpoints.device import CodeNeeded, DeviceAnswered
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.responses.responses import page_response
from doorkey.server.user_codes import formatted
from doorkey.wire.messages import Response


def code_page(needed: CodeNeeded, action: str) -> Response:
    """Return the page with the form for the code of a device. It also reports a wrong code, or too many wrong codes."""
    wrong = ""
    if needed.retry_after is not None:
        wrong = too_often(needed.retry_after)
    elif needed.failed:
        wrong = "There is no device with this code. It may have expired: look at the device again."
    hint = "Enter the code that the device shows."
    if needed.user_code and not wrong:
        hint = (
            "Check that the device shows this code. Do not continue if it shows another code, or if there is no device."
        )
    field = fill(
        """<label for="user_code">Code</label>
<input id="user_code" name="user_code" type="text" autocomplete="off" autocapitalize="characters" spellcheck="false" \
required value="{value}"{described} autofocus>""",
        value=attribute(formatted(needed.user_code) if needed.user_code else ""),
        described=fill(' aria-invalid="true" aria-describedby="problem"') if wrong else EMPTY,
    )
    content = form(action, (("csrf", needed.csrf),), field, submit("Continue"))
    title = "Log in on a device"
    parts = (problem(wrong) if wrong else EMPTY, paragraph(hint), content)
    text = page(title, *parts, site=SITE, tab=f"Problem: {title}" if wrong else title)
    if needed.retry_after is None:
        return page_response(text)
    response = page_response(text, 429)
    return replace(response, headers=(*response.headers, ("Retry-After", str(needed.retry_after))))


def device_page(question: DeviceQuestion, names: ClientNames, action: str) -> Response:
    """Return the page that asks whether a device may log in as the user."""
    code = formatted(question.user_code)
    intro = fill(
        "<p>The device with the code <strong>{code}</strong> wants to log in to {client} as "
        "<strong>{user}</strong>. It asks to:</p>",
        code=code,
        client=names.marked(question.client_id),
        user=question.username,
    )
    note = paragraph("Allow this only if you started it yourself, and the device shows this code.")
    buttons = joined(
        (submit("Allow", name=ACCEPT, value="Yes"), submit("Do not allow", name=CANCEL, value="No", other=True))
    )
    fields = (("user_code", code), ("csrf", question.csrf))
    title = f"Allow {names.title(question.client_id)}?"
    return page_response(page(title, intro, scope_list(question.scope), note, form(action, fields, buttons), site=SITE))


def device_answered_page(answer: DeviceAnswered) -> Response:
    """Return the page with the result of the user's decision."""
    if answer.allowed:
        text, title = "The device is logged in. You can close this page and go back to the device.", "Device logged in"
    else:
        text, title = "The device was not allowed to log in. You can close this page.", "Not allowed"
    return page_response(page(title, done(text), site=SITE))
