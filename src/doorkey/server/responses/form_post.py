"""The response mode `form_post`: a page that posts the answer to the client (OAuth 2.0 Form Post Response Mode §2)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from doorkey.server.responses.responses import hidden_fields, html, script_source
from doorkey.wire.messages import Response

_SCRIPT = "document.forms[0].submit()"


def form_post(uri: str, parameters: Mapping[str, str | None]) -> Response:
    """Return a page whose form sends `parameters` to `uri`: by itself, or by its button where scripts are off."""
    fields = hidden_fields((name, value) for name, value in parameters.items() if value is not None)
    page = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Back to the app</title></head>
<body>
<form method="post" action="{escape(uri)}">
{fields}
<noscript><button type="submit">Go back to the app</button></noscript>
</form>
<script>{_SCRIPT}</script>
</body>
</html>
"""
    return html(page, script_source(_SCRIPT))
