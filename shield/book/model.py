"""What the files of the book hold, as types."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$")]
SlotName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(_[a-z]+)*$")]


class Channel(StrEnum):
    """How a message reaches a person."""

    SMS = "sms"
    """A text message or a chat."""
    MAIL = "mail"
    """A mail with its subject first, or a bare link."""
    CALL = "call"
    """The transcript of a telephone call."""


class Side(StrEnum):
    """What a template is for; nothing is ever on both sides."""

    TEACH = "teach"
    JUDGE = "judge"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TacticTexts(_Strict):
    """What a person is told of a tactic, in one language: plain sentences."""

    name: Text
    how_it_works: Text
    what_gives_it_away: Text
    what_to_do_now: Text
    who_to_tell: Text


class Tactic(TacticTexts):
    """One kind of scam, its texts in English."""

    id: Name
    channels: tuple[Channel, ...] = Field(min_length=1)
    """Where people meet it; each language has templates for all of them."""
    judge_only: bool = False
    """Never taught, so that it measures what happens when something new comes up."""
    twin: Text
    """What honest senders send that looks like it: the brief for writers."""

    @property
    def texts(self) -> TacticTexts:
        """The English texts alone."""
        return TacticTexts(**{name: getattr(self, name) for name in TacticTexts.model_fields})


class Pair(_Strict):
    """Templates of one tactic in one channel: the scam, and the honest message beside it."""

    scam: list[Text]
    twin: list[Text]


class ChannelFile(_Strict):
    """One file of templates: `LANGUAGE/SIDE/CHANNEL.yaml`."""

    tactics: dict[Name, Pair]
    everyday: dict[Name, list[Text]]
    """Harmless messages that belong to no tactic, by group: chat, codes, reminders, offers."""


SlotValue = Text | dict[SlotName, Text | list[Text]]
Slots = dict[SlotName, list[SlotValue]]


class SlotFile(_Strict):
    """`LANGUAGE/slots.yaml`: what fills the templates, the sides apart."""

    teach: Slots
    judge: Slots

    def of(self, side: Side) -> Slots:
        """Return the slots of one side."""
        return self.teach if side is Side.TEACH else self.judge


@dataclass(frozen=True)
class Language:
    """All files of one language."""

    code: str
    slots: SlotFile
    files: dict[tuple[Side, Channel], ChannelFile]
    texts: dict[str, TacticTexts]


@dataclass(frozen=True)
class Book:
    """Tactics and the languages that were read."""

    tactics: dict[str, Tactic]
    languages: dict[str, Language]

    def texts(self, tactic: str, language: str) -> TacticTexts:
        """Return a tactic's texts in the language, in English where nobody has written them."""
        spoken = self.languages.get(language)
        if spoken is not None and tactic in spoken.texts:
            return spoken.texts[tactic]
        return self.tactics[tactic].texts
