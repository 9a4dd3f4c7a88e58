"""Names and numbers that belong to nobody, the only ones that the book may use."""

import re
from collections.abc import Iterator

_HOST = re.compile(
    # Possessive, and begun at the first label only: linear on any text.
    r"(?<![\w-])(?<![\w-]\.)(?:[a-z0-9][a-z0-9-]*+\.)++[a-z]{2,}+(?![\w-])",
    re.IGNORECASE,
)
_RESERVED_HOST = re.compile(
    r"(?:\.(?:example|test|invalid)|(?:^|\.)example\.(?:com|net|org))$", re.IGNORECASE
)
"""RFC 2606 and RFC 6761: nobody can ever register them."""
_FILE = re.compile(r"\.(?:apk|csv|docx?|exe|html?|jpe?g|mp[34]|pdf|png|txt|xlsx?)$", re.IGNORECASE)
"""Names of files, none of them ending like a name on the net."""

_PHONES = [
    re.compile(pattern)
    for pattern in (
        # United Kingdom, Ofcom: numbers for use in TV and radio drama.
        r"(?:\+44|0)(?:7700900|2079460|1632960|1134960|1214960|1314960|8081570)[\d#^]{3}",
        # North America, ATIS: 555-0100 to 555-0199 of any area.
        r"(?:\+?1)?[\d#^]{3}55501[\d#^]{2}",
        # Germany, Bundesnetzagentur: Rufnummern für Medienzwecke.
        r"(?:\+49|0)(?:3023125|6990009|4066969|2214710|8999998)[\d#^]{3}",
        r"(?:\+49|0)(?:17139200|176040690)[\d#^]{2}",
        # France, ARCEP: numéros pour les oeuvres audiovisuelles.
        r"(?:\+33|0)(?:19900|26191|35301|46571|53649|63998)[\d#^]{4}",
        # Everywhere else: no country has numbers whose national part begins with 000.
        r"(?:\+\d{1,3})?000[\d#^]{4,8}",
    )
]
_LONG_NUMBER = re.compile(r"(?:\d[\s().-]?){7,}")

_BRANDS = re.compile(
    r"\b(?:adobe|aliexpress|allegro|amazon|anydesk|apple|barclays|bbva|binance|bradesco|caixabank|"
    r"coinbase|commerzbank|correos|dhl|dpd|ebay|enel|evri|facebook|fedex|flipkart|gls|gmail|google|"
    r"gopay|hdfc|hermes|hsbc|icloud|icici|inpost|instagram|intesa|itau|klarna|lloyds|mastercard|"
    r"mcafee|mercadona|microsoft|natwest|netflix|norton|nubank|ovo|paypal|paytm|poste italiane|"
    r"postepay|rabobank|revolut|ryanair|santander|sberbank|shopee|sparkasse|spotify|steam|"
    r"teamviewer|telstra|tikkie|tokopedia|trezor|ups|usps|venmo|verizon|visa card|vodafone|walmart|"
    r"wells fargo|zelle)\b",
    re.IGNORECASE,
)
"""Well-known names that scams borrow; in the book each has an invented cousin."""


def hosts(text: str) -> Iterator[str]:
    """Yield the host names in `text`."""
    for match in _HOST.finditer(text):
        if not _FILE.search(match[0]):
            yield match[0]


def foreign_hosts(text: str) -> Iterator[str]:
    """Yield the host names in `text` that could belong to somebody."""
    for host in hosts(text):
        if not _RESERVED_HOST.search(host):
            yield host


def is_fictitious(phone: str) -> bool:
    """Tell whether a telephone number, `#` and `^` for digits, is nobody's."""
    plain = re.sub(r"[\s().\-/]", "", phone)
    return any(pattern.fullmatch(plain) for pattern in _PHONES)


def long_numbers(text: str) -> Iterator[str]:
    """Yield numbers long enough to be somebody's telephone number or account."""
    for match in _LONG_NUMBER.finditer(text):
        yield match[0].strip()


def brands(text: str) -> Iterator[str]:
    """Yield the real brands that `text` names."""
    for match in _BRANDS.finditer(text):
        yield match[0]
