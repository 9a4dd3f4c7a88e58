"""Shell completion, as typer writes it, and what zsh needs beside."""

from typer._completion_shared import _completion_scripts

_CALL = """
# zsh calls this file itself at the first tab key of a session; that must complete as well.
if [[ $funcstack[1] == _%(prog_name)s ]]; then %(complete_func)s "$@"; fi
"""


def mend() -> None:
    """Let the script of zsh complete at the first tab key, not from the second on.

    Raises:
        KeyError: typer has no script of zsh under this name any more.
    """
    if not _completion_scripts["zsh"].endswith(_CALL):
        _completion_scripts["zsh"] += _CALL
