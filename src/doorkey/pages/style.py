"""The style sheet of every page, and the directive of a content security policy that allows only this style sheet."""

from __future__ import annotations

import base64
import hashlib

from doorkey.pages.markup import Html

STYLE = Html("""
:root { color-scheme: light dark; --back: #f3f5f8; --card: #fff; --line: #d5dae1; --edge: #67717e; --text: #1a1f26;
  --soft: #535d69; --link: #0b4fa8; --fill: #0b4fa8; --on-fill: #fff; --hover: #083c80; --focus: #b35900;
  --bad: #b00020; --bad-back: #fdecee; --good: #1a6b34; --good-back: #e8f5ec; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12151a; --card: #1b2027; --line: #353d48; --edge: #8b96a4; --text: #e8ebef; --soft: #a9b3bf;
    --link: #8ab8ff; --fill: #8ab8ff; --on-fill: #0a1a30; --hover: #b3d1ff; --focus: #ffb366;
    --bad: #ff8a99; --bad-back: #3a161c; --good: #7fd69a; --good-back: #14301e; }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; padding: clamp(1rem, 8vh, 6rem) 1rem 2rem; background: var(--back);
  color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
header, main, footer { max-width: 27rem; margin: 0 auto; }
.wide header, .wide main, .wide footer { max-width: 52rem; }
header p { margin: 0 0 .75rem; padding: 0 .25rem; color: var(--soft); font-weight: 600; overflow-wrap: anywhere; }
main { padding: clamp(1.25rem, 5vw, 2.25rem); border: 1px solid var(--line); border-radius: .75rem;
  background: var(--card); overflow-wrap: anywhere; }
footer { padding: .75rem .25rem 0; color: var(--soft); font-size: .9rem; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
p { margin: .75rem 0; }
.soft { color: var(--soft); }
a { color: var(--link); text-underline-offset: .2em; }
a:hover { text-decoration-thickness: .14em; }
ul { margin: .75rem 0; padding-left: 1.25rem; }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
input, select, textarea { width: 100%; min-height: 2.9rem; padding: .5rem .75rem; border: 1px solid var(--edge);
  border-radius: .4rem; background: var(--card); color: inherit; font: inherit; }
input[aria-invalid] { border: 2px solid var(--bad); }
button, .button { display: block; width: 100%; min-height: 2.9rem; margin: 1.25rem 0 0; padding: .6rem 1.25rem;
  border: 1px solid var(--fill); border-radius: .4rem; background: var(--fill); color: var(--on-fill);
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
button:hover, .button:hover { border-color: var(--hover); background: var(--hover); }
button.other, .button.other { margin-top: .75rem; border-color: var(--edge); background: transparent;
  color: var(--link); }
button.other:hover, .button.other:hover { border-color: var(--link); background: var(--back); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.note { padding: .75rem 1rem; border-left: .3rem solid var(--bad); border-radius: .25rem; background: var(--bad-back); }
.note.good { border-color: var(--good); background: var(--good-back); }
.choices { padding: 0; list-style: none; }
.choices .button { margin-top: .75rem; }
details { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
summary { cursor: pointer; color: var(--soft); font-weight: 600; }
code { font: .95em/1.5 ui-monospace, "Liberation Mono", monospace; }
.rows { padding: 0; list-style: none; border-top: 1px solid var(--line); }
.rows > li { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: 1rem 0;
  border-bottom: 1px solid var(--line); }
.rows .about { flex: 1 1 15rem; min-width: 0; }
.rows h3 { margin: 0; font-size: 1rem; }
.rows .about p { margin: .15rem 0; }
.rows form { flex: none; }
.wide button { width: auto; margin: 0; }
input[type=checkbox] { width: 1.25rem; min-height: 1.25rem; margin: 0 .5rem 0 0; vertical-align: middle; }
textarea { min-height: 6rem; font-family: ui-monospace, "Liberation Mono", monospace; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12rem), 1fr)); gap: 0 1rem; }
.fields > * { min-width: 0; }
.fields ~ button, .buttons { margin-top: 1rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); gap: .75rem 1rem;
  margin: 1rem 0; }
dt { color: var(--soft); font-size: .9rem; }
dd { margin: 0; font-weight: 600; }
@media (forced-colors: active) { button, .button { border: 1px solid; } }
@media print { body { background: none; } main { border: 0; } }
""")


def style_source() -> str:
    """Return the directive of a content security policy that allows `STYLE` and no other style (CSP 3 §2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"style-src 'sha256-{digest}'"
