"""Pages that steps leave for people: one HTML file, without script and without any request.

Kubeflow's dashboard shows them in a frame of 250 pixels beside the graph, and in one as wide as a
dialog on demand: text wraps, a table that is too wide moves within its own box.
"""

from collections.abc import Sequence
from html import escape

_STYLE = """
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:.8rem auto;padding:0 .8rem;
 color:#1b1f24;background:#fff;overflow-wrap:break-word}
h1{font-size:1.4rem;line-height:1.3;margin:.2rem 0 .6rem}h2{font-size:1.15rem;margin:1.8rem 0 .4rem}
h3{font-size:1rem;margin:1.2rem 0 .2rem}
.wide{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse}
td,th{padding:.25rem .6rem;border-bottom:1px solid #d8dee4;text-align:right;vertical-align:top;
 white-space:nowrap;font-variant-numeric:tabular-nums}
th{vertical-align:bottom;white-space:normal}small{display:block;color:#57606a}
td:first-child,th:first-child,.words td,.words th{text-align:left}
td small{max-width:16rem;white-space:normal}
@media(max-width:40rem){.words td:first-child{white-space:normal}}
.words td:last-child{white-space:normal;min-width:9rem}code{font-size:.9em;white-space:nowrap}
.warn{background:#fff4ce;border-left:4px solid #c44900;padding:.4rem .8rem;margin:.4rem 0}
.plots{display:flex;flex-wrap:wrap;gap:1rem}
.plots figure{margin:0;flex:1 1 min(24rem,100%);min-width:0}svg{max-width:100%;height:auto}
"""


def page(title: str, body: str) -> str:
    """Return a whole page.

    Args:
        title: Plain text, for the tab; the body has a heading of its own.
        body: HTML.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], css: str = "") -> str:
    """Return a table in a box that can be moved, by keys as well.

    Args:
        head: Plain text, or nothing for a table without a head.
        rows: HTML, a cell each.
        css: `words` where the last column holds sentences.
    """
    top = "<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>" if head else ""
    lines = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f'<div class="wide" tabindex="0"><table class="{css}">{top}{lines}</table></div>'


def counted(number: int, what: str) -> str:
    """Return a number with its noun, e.g. "1 correction" and "2 corrections"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
