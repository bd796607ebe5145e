"""The settings of an installed agent, for its other commands: the file that systemd reads for the service (EnvironmentFile).

The service gets them as variables, and a person who calls `croody-edge doctor` has none of them. Opens one file.
"""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Names the file; the package sets it.
FILE = "CROODY_SETTINGS"


def with_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, with what the file says where the environment says nothing. A file that cannot be read says nothing."""
    file = environ.get(FILE)
    try:
        said = Path(file).read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeError):
        said = ""
    return dict(variables(said)) | dict(environ)


def variables(said: str) -> Iterator[tuple[str, str]]:
    """Names and values of such a file; a value may stand in quotes. Lines that are none are passed over, as systemd does."""
    for line in said.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and name.isidentifier():
            yield name, _bare(value)


def _bare(value: str) -> str:
    try:
        return "".join(shlex.split(value)) if value[:1] in ("'", '"') else value.strip()
    except ValueError:
        return value
