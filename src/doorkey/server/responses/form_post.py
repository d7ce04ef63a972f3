"""The response mode `form_post`: a page posts the response to the client (OAuth 2.0 Form Post Response Mode §2)."""

from __future__ import annotations

from collections.abc import Mapping

from doorkey.pages.layout import page
from doorkey.pages.parts import form, paragraph, submit
from doorkey.server.responses.responses import page_response
from doorkey.wire.messages import Response


def form_post(uri: str, parameters: Mapping[str, str | None], script: str) -> Response:
    """Return a page whose form sends `parameters` to `uri`. The script at the URL `script` clicks its button.

    If the browser has scripts disabled, the user clicks the button.
    """
    fields = [(name, value) for name, value in parameters.items() if value is not None]
    content = form(uri, fields, submit("Continue", goes_on=True))
    text = page("Back to the application", paragraph("You can go back now."), content, script=script)
    return page_response(text, script=script)
