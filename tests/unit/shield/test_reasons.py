"""Why a message was judged so: what is found in it, and the words in which people are told."""

import re
import string

import pytest

from shield.book import Side, languages_at, messages_of, read_book
from shield.characters import has_words
from shield.labels import ScanType
from shield.reasons import Explanation, Reader, advise, explain, reader_of
from shield.reasons.hosts import links_of
from shield.reasons.sentences import places, sentences
from shield.reasons.signs import signs_among, table_of_signs
from shield.reasons.words import words_of
from shield.wire import ReasonKind

ENGLISH = Reader()
TECHNICAL = re.compile(
    r"\b(url|domain|host|punycode|unicode|homoglyph|cyrillic|token|model|classifier|threshold|score"
    r"|probabilit\w+|n-gram|margin|phishing|http)\b",
    re.IGNORECASE,
)


def told(
    text: str, *, flagged: bool = True, sure: bool = True, reader: Reader = ENGLISH
) -> Explanation:
    return explain(text, ScanType.TEXT, flagged=flagged, sure=sure, reader=reader)


def ids(found: Explanation) -> list[str]:
    return [reason.id for reason in found.reasons]


def test_advice_alone_is_that_of_the_explanation() -> None:
    parcel = "Your parcel waits: pay the fee at https://parcel-fee.example today. "
    for text in (parcel, parcel * 400, "Are you home yet?"):
        assert advise(text, ScanType.TEXT, reader=ENGLISH) == told(text).advice


def test_a_child_with_a_new_number_is_explained_and_advised():
    found = told(
        "Hi Mum, I dropped my phone, this is my new number. Can you send me £400 for rent?"
    )
    assert {"tactic:family-in-need", "new-number", "asks-for-money"} <= set(ids(found))
    assert "Call the old number" in found.advice.what_to_do_now


@pytest.mark.parametrize(
    ("text", "id", "names"),
    [
        (
            "Northmoor: not you? https://n0rthmoor-online.example/stop",
            "link-lookalike",
            "Northmoor",
        ),
        ("Hopwell Express missed you https://hopweli.example/1", "link-lookalike", "Hopwell"),
        ("Sign in: https://paypaI-check.example/", "link-lookalike", "Paypal"),
        ("Royal Mail: fee due https://royalmail-fees.example/x", "link-not-theirs", "Royal Mail"),
        ("DHL holds your parcel https://track-fee.example/x", "link-not-theirs", "DHL"),
        (
            "Vidora: update your card https://vidora-billing.example/x",
            "link-borrows-name",
            "Vidora",
        ),
        ("See http://paypal.com@192.0.2.4/login", "link-pretends", "paypal.com"),
        ("See http://192.0.2.4/login", "link-numbers", "192.0.2.4"),
        ("See https://bit.ly/3xyz", "link-short", "bit.ly"),
        ("See http://xn--80ak6aa92e.com/", "link-letters", "xn--80ak6aa92e.com"),
        ("See http://p\u0430ypal.example/", "link-letters", "p\u0430ypal.example"),
        ("See hxxp://win.example/a", "link-broken", "pieces"),
        ("See win[.]example", "link-broken", "pieces"),
        ("See http //win.example", "link-broken", "pieces"),
    ],
)
def test_what_a_link_does_is_said_with_the_name_that_it_borrows(text: str, id: str, names: str):
    sentence = {reason.id: reason.sentence for reason in told(text).reasons}
    assert names in sentence[id]


@pytest.mark.parametrize(
    "text",
    [
        "Your order has shipped: https://www.amazon.co.uk/orders/1",
        "DHL: https://www.dhl.de/track?id=1",
        "Northmoor Bank: your statement is ready. https://northmoor.example/app",
        "Harrow & Finch: https://harrowfinch.example/new",
        "HMRC: https://www.gov.uk/check-refund",
        "\u042f\u043d\u0434\u0435\u043a\u0441: https://\u043f\u043e\u0447\u0442\u0430.\u0440\u0444/",
        "M\u00fcnchen: https://m\u00fcnchen.example/rathaus",
        "Read https://docs.example/dotnet",
    ],
)
def test_an_honest_link_gives_nothing_to_say(text: str):
    assert links_of(text) == []


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Please send me the code you got by mistake", "asks-for-code"),
        ("Reenvíame el código que te llegó", "asks-for-code"),
        ("Bitte schick mir den Code weiter", "asks-for-code"),
        ("Gib mir bitte die PIN: Ihre PIN", "asks-for-secrets"),
        ("Envoyez-moi le code reçu", "asks-for-code"),
        ("अपना ओटीपी बताएं नहीं तो खाता बंद हो जाएगा", "asks-for-code"),
        ("يرجى تحديث بياناتك البنكية فورا", "asks-for-secrets"),
        ("Kirimkan kode OTP yang masuk", "asks-for-code"),
        ("Papà, questo è il mio nuovo numero", "new-number"),
        ("Vertel dit aan niemand", "secrecy"),
        ("Responda nas próximas 24 horas", "haste"),
    ],
)
def test_what_is_asked_is_found_in_the_languages_of_the_book(text: str, sign: str):
    assert sign in signs_among(words_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "Your code is 123456. Never share this code with anyone.",
        "We will never ask you to send money.",
        "Nunca compartas este código",
        "Teilen Sie diesen Code niemandem mit",
        "Ne communiquez jamais ce code",
        "Jangan berikan kode ini kepada siapa pun",
        "see you at 8?",
    ],
)
def test_a_warning_is_not_taken_for_what_it_warns_of(text: str):
    assert signs_among(words_of(text)).isdisjoint(
        {"asks-for-code", "asks-for-money", "asks-for-secrets"}
    )


@pytest.mark.parametrize(
    "text",
    [
        *("go to shop.example now", "shop.example", "shop . example", "\uff53hop\uff0eexample"),
        *(
            "sh\u200bop\u200b.example",
            "www shop example",
            "shop(punkt)example",
            "tinyurl\u3002com/abc",
        ),
        *("bit,ly/xyz", "ht tps:/ /shop.example", "shop .example/pay", "shop. com", "shop. me/pay"),
        *("203.0.113.5", "http:shop.example", "shop dot example", "e\u2024xample", "اتصل.شبكة"),
    ],
)
def test_no_text_that_may_hold_an_address_is_said_to_have_no_link(text: str):
    assert "no-link" not in calm(f"Hello Ann, see {text}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Your code is 482 913. Never share it.",
            "Dinner at 18.30? Price 3.50, ok.",
            "Hi... bye!",
        ),
        *(
            "Mr. Smith (2.5 kg)",
            "Bis morgen, 12.5. um 10 Uhr.",
            "Sí. A las 9.",
            "ठीक है। कल मिलते हैं।",
        ),
    ],
)
def test_an_ordinary_text_is_said_to_have_no_link(text: str):
    assert calm(text) == ["asks-nothing", "no-link"]


def test_nothing_calming_is_said_of_a_text_that_is_not_read_to_its_end():
    assert calm("See you at seven. " * 300 + "Pay at https://shop.example/pay") == []


def calm(text: str) -> list[str]:
    reasons = told(text, flagged=False).reasons
    return [reason.id for reason in reasons if reason.kind is ReasonKind.CALM]


def test_a_harmless_verdict_alarms_nobody():
    for message in messages_of(read_book(languages=["en", "de"]), Side.JUDGE, each=1):
        found = told(message.text, flagged=False)
        assert {reason.kind for reason in found.reasons} <= {ReasonKind.WHOLE, ReasonKind.CALM}
        assert found.advice.who_to_tell is None


@pytest.mark.parametrize(
    "text",
    ["", "  ", "\u200b\u200d\u2060", "\U0001f600\U0001f618", "?!...", "\u2800", "\u3164\u115f"],
)
def test_a_text_without_words_is_said_to_have_none(text: str):
    assert not has_words(text)
    found = told(text, flagged=False, sure=False)
    assert ids(found) == ["no-words"]


def test_an_unsure_verdict_says_so_first():
    found = told("Is this still for sale?", flagged=False, sure=False)
    assert ids(found)[0] == "close-call"


def test_every_sentence_is_written_in_the_languages_of_the_book_with_the_same_parts():
    for name, written in sentences().items():
        assert set(written) == set(languages_at()), name
        parts = {
            language: sorted(part for _, part, _, _ in string.Formatter().parse(text) if part)
            for language, text in written.items()
        }
        assert len(set(map(tuple, parts.values()))) == 1, (name, parts)


def test_every_sign_has_a_sentence_and_phrases_in_every_language():
    for sign in table_of_signs().signs:
        assert sign in sentences()
        spoken = {phrase.language for phrase in table_of_signs().phrases if phrase.sign == sign}
        assert spoken == set(languages_at()), sign


def test_no_sentence_is_technical_or_long():
    for name, written in sentences().items():
        assert not TECHNICAL.search(re.sub(r"\{\w+\}", "", written["en"])), name
        assert max(map(len, written.values())) < 220, name
        assert all(text.rstrip()[-1] in ".।}" for text in written.values()), name


def test_every_place_names_its_source():
    assert all(place["source"].startswith("https://") for place in places().values())


@pytest.mark.parametrize(
    ("header", "reader"),
    [
        (None, Reader("en", None)),
        ("de-AT,de;q=0.9,en;q=0.8", Reader("de", "AT")),
        ("ja, pt-BR;q=0.7, en;q=0.9", Reader("en", "BR")),
        ("*", Reader("en", None)),
        ("zh-Hant-TW", Reader("en", "TW")),
        ("de;q=nonsense, fr", Reader("fr", None)),
        (";;;,,,", Reader("en", None)),
    ],
)
def test_the_reader_is_whom_the_browser_names(header: str | None, reader: Reader):
    assert reader_of(header) == reader


def test_people_are_told_where_their_country_takes_reports():
    found = told("Urgent: pay now", reader=Reader("fr", "FR"))
    assert "33700" in (found.advice.who_to_tell or "")


def test_numbers_and_names_keep_their_order_inside_a_sentence_from_right_to_left():
    found = told("Urgent: pay now", reader=Reader("ar", "SA"))
    assert "\u2068330330\u2069, \u2068absher.sa\u2069" in (found.advice.who_to_tell or "")
