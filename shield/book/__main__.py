"""Check the book while it is written.

python -m shield.book [LANGUAGE ...]
"""

import sys
from collections import Counter

from shield.book.checks import faults
from shield.book.model import Side
from shield.book.reading import read_book
from shield.book.writing import messages_of
from shield.errors import ShieldError


def main(languages: list[str]) -> int:
    """Print every fault, or how many messages each language gives."""
    try:
        book = read_book(languages=languages or None)
    except ShieldError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    mistakes = faults(book)
    for fault in mistakes:
        print(fault, file=sys.stderr)  # noqa: T201
    for side in Side:
        if not mistakes:
            kinds = Counter(
                (each.language, each.channel.value, each.kind) for each in messages_of(book, side)
            )
            for (language, channel, kind), count in sorted(kinds.items()):
                print(f"{language} {side:5} {channel:4} {kind:8} {count}")  # noqa: T201
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
