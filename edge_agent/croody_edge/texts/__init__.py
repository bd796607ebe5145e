"""Every text of the edge that is for a person at a terminal, in Spanish and English: a file for each part that says them.

What goes to the cloud (events, answers, reasons of dead letters) is not here: it is read elsewhere.
"""

from typing import Final, Literal

from croody_contract.texts import filled, said, speaks_spanish
from croody_edge.texts import agent, bundle, doctor, enrolment, link, local, screen, settings, sources, virtual_robots

Language = Literal["es", "en"]

#: Key -> Spanish, English. The part before the dot says where it is used.
TEXTS: Final[dict[str, tuple[str, str]]] = {
    **agent.TEXTS,
    **screen.TEXTS,
    **doctor.TEXTS,
    **bundle.TEXTS,
    **enrolment.TEXTS,
    **settings.TEXTS,
    **link.TEXTS,
    **sources.TEXTS,
    **virtual_robots.TEXTS,
    **local.TEXTS,
}


def text(key: str, **values: object) -> str:
    """A text in the language that is spoken.

    Raises:
        KeyError: no such text, or one of its places has no value.
    """
    return said(TEXTS, key, **values)


def spoken() -> Language:
    """The language of this process."""
    return "es" if speaks_spanish() else "en"


def text_in(language: Language, key: str, **values: object) -> str:
    """A text in this language, for who is not at the terminal.

    Raises:
        KeyError: no such text, or one of its places has no value.
    """
    return filled(TEXTS[key][0 if language == "es" else 1], values)
