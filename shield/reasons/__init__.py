"""Why a message was judged so, in plain words: explains verdicts and never changes one.

What people read is in tables beside the code: `sentences.yaml` (every sentence by a stable id, in
the book's languages), `signs.yaml` (phrases that ask or press), `brands.yaml` (names that scams
borrow) and `places.yaml` (who takes reports, by country, with sources). The tactics and their
advice are those of `shield.book`.
"""

from shield.reasons.explanation import Explanation, advise, explain, prepare
from shield.reasons.sentences import Reader, countries, reader_of

__all__ = ["Explanation", "Reader", "advise", "countries", "explain", "prepare", "reader_of"]
