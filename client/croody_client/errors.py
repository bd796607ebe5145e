"""What can go wrong: the server refuses, or nobody answers. Pure."""

import json
from typing import Any


class ApiError(Exception):
    """A refusal. The text says all of it; `code` is for programs.

    Attributes:
        status: of HTTP.
        code: `bad_value`, `not_found`, `forbidden`, `late`, ...; `http_STATUS` where something else than Croody answered.
        field, value, rule, remedy: what was wrong, where the server says so.
    """

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        told = _told(body)
        self.code = str(told.get("code") or f"http_{status}")
        self.field, self.value, self.rule, self.remedy = (told.get(name) for name in ("field", "value", "rule", "remedy"))
        super().__init__(str(told.get("detail") or f"HTTP {status}: not an answer of Croody's"))


class Away(Exception):
    """Nobody answered, however often: the text says what the last try met."""


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
