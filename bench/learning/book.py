"""The book's judging half: what first models find in each language and channel, by base model.

First models of the product's own recipe are made from several seeds, and judged on templates and
tactics that taught none of them (`bench.learning.first_models`). Each training is kept, so that a
benchmark that was stopped goes on where it was.
"""

from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import components.baseline
import components.prepare_corpus
import components.shared
import components.train
from bench.learning import first_models
from bench.learning.first_models import ALL
from bench.learning.lab import kept
from bench.outcome import Aim, Outcome, Scale, spread
from components.shared.base_model import MINILM, MULTILINGUAL
from shield.book import book_digest
from shield.labels import ModelType

TODAY = "minilm, taught English"
BASES = {MULTILINGUAL: MULTILINGUAL, TODAY: MINILM}
"""Name -> base model, taught in the languages that it reads."""
CHANNELS = {ModelType.PHISHING: "mail", ModelType.VOICE: "call"}
"""Judged of our base alone, beside text messages."""
FEW = 1
"""Seeds of what is only compared, and of mails and calls, whose trainings take as long again."""
LARGE = 200
"""Scams of a language, over all seeds, from which on it is judged by itself."""
SHOWN = ("recall", "served", "kinds", "certainty", "padded", "golden", "training")

Runs: TypeAlias = list[dict[str, Any]]


def run(scale: Scale) -> Outcome:
    """Train each base from each seed, and compare; then the other channels."""
    seeds = scale.seeds[: scale.pick(3, 1)]
    bases = list(BASES)[: scale.pick(len(BASES), 1)]
    runs = {
        base: [
            _one(base, ModelType.SMS, seed, scale)
            for seed in seeds[: len(seeds) if base == MULTILINGUAL else FEW]
        ]
        for base in bases
    }
    channels = {
        name: [_one(MULTILINGUAL, model_type, seed, scale) for seed in seeds[:FEW]]
        for model_type, name in list(CHANNELS.items())[: scale.pick(len(CHANNELS), 0)]
    }
    return Outcome(
        {
            "seeds": list(seeds),
            "runs": runs,
            "mean": {base: _means(of_base) for base, of_base in runs.items()},
            "channels": {name: _means(of_channel) for name, of_channel in channels.items()},
            "channel runs": channels,
        },
        [
            *_aims("sms", runs[MULTILINGUAL]),
            _golden(runs[MULTILINGUAL], runs.get(TODAY, [])),
            *[aim for name, of_channel in channels.items() for aim in _aims(name, of_channel)],
        ],
    )


def _one(base: str, model_type: ModelType, seed: int, scale: Scale) -> Any:
    """Train one first model and judge it, or return what was measured before."""
    steps = (components.prepare_corpus, components.baseline, components.train)
    make = partial(
        first_models.judge_first_model,
        BASES[base],
        model_type,
        seed,
        epochs=1 if scale.short else None,
        most=scale.pick(0, 600),
    )
    return kept(
        {"experiment": "book", "base": base, "type": model_type.value, "seed": seed}
        | {"book": book_digest()}
        | ({"short": True} if scale.short else {}),
        [
            *(Path(room.__path__[0]) for room in (*steps, components.shared)),
            Path(first_models.__file__),
        ],
        make,
    )


def _aims(channel: str, runs: Runs) -> list[Aim]:
    """Return what issue and page ask of a channel."""
    languages = sorted(set(runs[0]["recall"]) - {ALL})
    lowest = min(languages, key=lambda code: _mean(runs, "recall", code))
    everywhere = _mean(runs, "recall", ALL)
    unseen = _mean(runs, "kinds", "recall on tactics never taught")
    twins = _mean(runs, "kinds", "harmless twins flagged")
    wrong = _mean(runs, "certainty", "sure and wrong, the judging half")
    return [
        Aim(
            f"book, {channel}: recall at 1 % false alarms over all judged messages",
            ">= 0.93",
            f"{everywhere:.3f} (seeds: {_each(runs, 'recall', ALL)})",
            everywhere >= 0.93,
            "Four in five of the harmless messages are twins, written to look like the scams. "
            f"At the served point {_mean(runs, 'served', ALL):.3f} are found, at the share of "
            "twins flagged below.",
        ),
        Aim(
            f"book, {channel}: recall in every language with >= {LARGE} scams over all seeds",
            ">= 0.85",
            f"lowest {lowest} {_mean(runs, 'recall', lowest):.3f}; "
            + ", ".join(f"{code} {_mean(runs, 'recall', code):.2f}" for code in languages),
            _mean(runs, "recall", lowest) >= 0.85,
            "At the served point: "
            + ", ".join(f"{code} {_mean(runs, 'served', code):.2f}" for code in languages),
        ),
        Aim(
            f"book, {channel}: recall on tactics never taught, same point",
            ">= 0.80",
            f"{unseen:.3f}",
            unseen >= 0.80,
        ),
        Aim(
            f"book, {channel}: harmless twins flagged at the served operating point",
            "<= 2 %",
            f"{twins:.1%}; of everyday messages "
            f"{_mean(runs, 'kinds', 'everyday messages flagged'):.1%}",
            twins <= 0.02,
            "The point is set on teaching twins and on everyday messages, most of them real.",
        ),
        Aim(
            f"book, {channel}: sure and wrong, of sure verdicts on the judging half",
            "<= 2 %",
            f"{wrong:.1%} (seeds: {_each(runs, 'certainty', 'sure and wrong, the judging half')}); "
            "on tactics never taught "
            f"{_mean(runs, 'certainty', 'sure and wrong, tactics never taught'):.1%}",
            wrong <= 0.02,
            f"Unsure are {_mean(runs, 'certainty', 'unsure, the judging half'):.1%} of the judging "
            f"half and {_mean(runs, 'certainty', 'unsure, the golden set'):.1%} of the golden set.",
        ),
    ]


def _golden(ours: Runs, today: Runs) -> Aim:
    accuracy = _mean(ours, "golden", "accuracy")
    before = _mean(today, "golden", "accuracy") if today else float("nan")
    return Aim(
        "book, sms: accuracy on the golden set (UCI), served",
        "not below MiniLM taught English",
        f"{accuracy:.4f}, MiniLM {before:.4f}",
        not accuracy < before,
        f"It finds {_mean(ours, 'golden', 'recall'):.3f} of these scams at "
        f"{_mean(ours, 'golden', 'false alarms'):.2%} false alarms, and "
        f"{_mean(ours, 'golden', 'recall at the budget'):.3f} at 1 %. Its operating point is "
        "set on the book's twins too, in ten languages, which look more like scams than "
        "the collection's chat. MiniLM from one seed only.",
    )


def _means(runs: Runs) -> dict[str, dict[str, Any]]:
    return {
        what: {key: spread([each[what][key] for each in runs]) for key in runs[0][what]}
        for what in SHOWN
        if what in runs[0]
    }


def _mean(runs: Runs, what: str, key: str) -> float:
    return float(np.mean([each[what][key] for each in runs]))


def _each(runs: Runs, what: str, key: str) -> str:
    return ", ".join(f"{each[what][key]:.3f}" for each in runs)
