"""The book of scams: tactics, and message templates in many languages, each beside its twin.

`corpora/` holds the texts, written for this project; `corpora/WRITING.md` says how they are
written. Nothing here needs more than Pydantic and PyYAML, so that the API can explain a verdict in
the book's words.
"""

from shield.book.model import Book, Channel, Side, Tactic, TacticTexts
from shield.book.reading import book_digest, book_directory, languages_at, read_book, read_tactics
from shield.book.writing import Message, messages_of

__all__ = [
    "Book",
    "Channel",
    "Message",
    "Side",
    "Tactic",
    "TacticTexts",
    "book_digest",
    "book_directory",
    "languages_at",
    "messages_of",
    "read_book",
    "read_tactics",
]
