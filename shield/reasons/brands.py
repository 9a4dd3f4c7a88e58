"""The brands that scams borrow: their names, and the addresses that are really their own."""

from dataclasses import dataclass
from functools import cache

from shield.reasons.tables import read_table
from shield.reasons.words import words_of


@dataclass(frozen=True)
class Brand:
    """A name that scams borrow, and the addresses that are really its own."""

    names: tuple[str, ...]
    hosts: frozenset[str]

    def owns(self, host: str, label: str) -> bool:
        """Tell whether a host, whose registrable name begins with `label`, is one of its own."""
        whole = f".{host}"
        return f"{label}.*" in self.hosts or any(whole.endswith(f".{own}") for own in self.hosts)


@cache
def brands() -> tuple[Brand, ...]:
    """Return the table of brands, read once."""
    document = read_table("brands.yaml")
    return tuple(Brand(tuple(one["names"]), frozenset(one["hosts"])) for one in document)


@cache
def brand_names() -> tuple[tuple[Brand, str, str], ...]:
    """Return each brand with each of its names, as written and as words of texts are."""
    return tuple((each, name, " ".join(words_of(name))) for each in brands() for name in each.names)
