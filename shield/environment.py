"""What settings of several rooms have in common: where they come from, lists, and secrets."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsError,
)

from shield.errors import Misconfigured

SECRETS = "SHIELD_SECRETS"
"""Names a directory of files, or several with `:` between: each file is called as a variable and
holds its value."""


class Settings(BaseSettings):
    """Settings from the environment, and from the files of the directory `SHIELD_SECRETS`.

    What is secret belongs there: a process hands its environment to all that it starts, and whoever
    may look at a pod reads it. Where a variable and a file disagree, the variable wins.
    """

    def __init__(self, **values: Any) -> None:
        """Read the settings.

        Raises:
            Misconfigured: A value is none that the setting takes. The value is not repeated: it may
                be secret.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            prefix = str(self.model_config.get("env_prefix", ""))
            name = prefix + "_".join(map(str, first["loc"])).upper()
            raise Misconfigured(f"The setting {name} is wrong: {first['msg']}.") from error
        except SettingsError as error:  # no JSON, where a setting takes a list
            raise Misconfigured(f"A setting is wrong: {error}.") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from, the first to say something wins."""
        folders = secrets_folders()
        if not folders:
            return init_settings, env_settings
        return init_settings, env_settings, _Files(settings_cls, folders)


class _Files(SecretsSettingsSource):
    def __call__(self) -> dict[str, Any]:
        try:
            return super().__call__()
        except SettingsError as error:
            if not isinstance(error.__cause__, (OSError, UnicodeDecodeError)):
                raise
            raise Misconfigured(
                f"A file in {self.secrets_dir} cannot be read ({error.__cause__}). {SECRETS} must "
                "name a directory of readable text files."
            ) from error


def secrets_folders() -> list[Path]:
    """Return the directories that `SHIELD_SECRETS` names; none when it is not set.

    Raises:
        Misconfigured: One is no directory.
    """
    folders = [Path(named) for named in os.environ.get(SECRETS, "").split(os.pathsep) if named]
    for folder in folders:
        if not folder.is_dir():
            raise Misconfigured(
                f"{SECRETS} names {folder}, which is no directory. Mount the Secret there, or "
                "leave the variable out."
            )
    return folders


def _entries(written: object) -> object:
    if isinstance(written, str):
        return [entry.strip() for entry in written.split(",") if entry.strip()]
    return written


CommaList = Annotated[list[str], NoDecode, BeforeValidator(_entries)]
"""A setting that is written as `one, two`; nothing is an empty list."""


def read_secret(path: Path, variable: str) -> str:
    """Return the content of a file that a setting names, without the space around it.

    Args:
        path: The file.
        variable: The setting or option that names it, for the message.

    Raises:
        Misconfigured: It cannot be read.
    """
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(
            f"The secret file {path} cannot be read ({reason}). Set {variable} to a readable file."
        ) from error
