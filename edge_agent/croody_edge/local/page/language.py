"""Which of two languages a visitor wants. Pure."""

from typing import Final

from croody_edge.texts import Language

_MOST_CHARS: Final = 500


def language_of(accepted: str, asked: str = "") -> Language:
    """Spanish unless English is preferred.

    Args:
        accepted: `Accept-Language` (RFC 9110, 12.5.4).
        asked: `es` or `en` where the visitor chose; anything else counts for nothing.
    """
    if asked in ("es", "en"):
        return "es" if asked == "es" else "en"
    weights = {"es": 0.0, "en": 0.0}
    for part in accepted[:_MOST_CHARS].lower().split(","):
        tag, _, weight = part.partition(";")
        name = tag.strip()[:2]
        if name in weights and tag.strip()[2:3] in ("", "-"):
            weights[name] = max(weights[name], _weight(weight))
    return "en" if weights["en"] > weights["es"] else "es"


def _weight(said: str) -> float:
    name, _, number = said.partition("=")
    try:
        return float(number) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
