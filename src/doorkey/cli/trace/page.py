"""A trace as one self-contained HTML page, for a bug report. It has no script and no picture, and sends no request."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

from doorkey.cli.trace.events import Event, Message
from doorkey.pages.layout import page
from doorkey.pages.markup import EMPTY, Html, fill, joined
from doorkey.pages.style import style_source

_STYLE: Final = Html("""
h2 { scroll-margin-top: 1rem; } h2 small { display: block; color: var(--soft); font-weight: 400; font-size: .85rem; }
dl { display: grid; grid-template-columns: minmax(6rem, 14rem) 1fr; gap: .1rem 1rem; margin: .5rem 0;
  font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; } dt, dd { overflow-wrap: anywhere; }
pre { margin: .5rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.45 ui-monospace, monospace; }
.first { margin: 1rem 0 .25rem; font-family: ui-monospace, monospace; font-size: .9rem; }
h2.failed { color: var(--bad); }
details { margin-top: .5rem; padding-top: 0; border-top: 0; } details summary { font-weight: 400; font-size: .9rem; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; } dd { padding-bottom: .35rem; } }
""")


def trace_page(events: Iterable[Event], title: str, facts: Iterable[tuple[str, str]]) -> str:
    """Return the page of a trace. Its content security policy allows its own style and nothing else.

    events: the events of the trace, in order.
    title: the heading.
    facts: names and values at the top of the page, such as the issuer and the time.
    """
    about = "Secrets, tokens, codes and claims about a person are not in this page: only their names and lengths are."
    parts = [fill('<p class="soft">{about}</p>', about=about), _rows(facts)]
    parts += [_event(event, number) for number, event in enumerate(events, 1)]
    html = page(title, *parts, site="doorkey trace", wide=True)
    return html.replace("<head>\n", f"<head>\n{_policy()}\n", 1).replace("</head>", f"{_styled()}\n</head>", 1)


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; {style_source()} 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def _styled() -> Html:
    return fill("<style>{style}</style>", style=_STYLE)


def _event(event: Event, number: int) -> Html:
    parts = [
        fill(
            "<h2{kind}>{number}. {title}{section}</h2>",
            kind=fill(' class="failed"') if event.failed else EMPTY,
            number=number,
            title=event.title,
            section=fill(" <small>{section}</small>", section=event.section) if event.section else EMPTY,
        ),
        _rows(event.rows),
    ]
    if event.request is not None:
        parts.append(_message("→", event.request, ""))
    if event.response is not None:
        took = "" if event.milliseconds is None else f" in {event.milliseconds:.0f} ms"
        parts.append(_message("←", event.response, took))
    if event.note:
        parts.append(fill("<p>{note}</p>", note=event.note))
    return joined(parts)


def _message(sign: str, message: Message, took: str) -> Html:
    lines = joined(fill("{line}", line=line) for line in message.lines)
    return joined(
        [
            fill('<p class="first">{sign} {first}{took}</p>', sign=sign, first=message.first, took=took),
            _details("headers", _rows(message.headers)) if message.headers else EMPTY,
            _rows(message.body),
            _details("document", fill("<pre>{lines}</pre>", lines=lines)) if lines else EMPTY,
        ]
    )


def _details(summary: str, content: Html) -> Html:
    return fill("<details><summary>{summary}</summary>{content}</details>", summary=summary, content=content)


def _rows(rows: Iterable[tuple[str, str]]) -> Html:
    pairs = [fill("<dt>{name}</dt><dd>{value}</dd>", name=name, value=value) for name, value in rows]
    return fill("<dl>\n{pairs}\n</dl>", pairs=joined(pairs)) if pairs else EMPTY
