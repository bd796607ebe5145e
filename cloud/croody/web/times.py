"""A time that somebody asks an API with. Knows no list and no database."""

import re
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_NUMBER: Final = re.compile(r"\s*[+-]?[\d.]+(?:[eE][+-]?\d+)?\s*")


def _no_number(value: Any) -> Any:
    """Of a number nobody can say whether it is seconds, milliseconds or nanoseconds; pydantic guesses."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value[:400])):
        raise PydanticCustomError("unix_time", "unix time is not taken: write it with its offset, as 2026-11-24T10:00:00Z")
    return value


#: ISO 8601 with its offset.
Time = Annotated[AwareDatetime, BeforeValidator(_no_number)]
