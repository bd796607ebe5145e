"""Pieces of a page as its templates make them, for its picture. Asks no database."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import override

from croody.live.picture import Picture, Piece
from croody.web import units


@dataclass(frozen=True, slots=True)
class Page:
    """`context` is for the whole page, `picture` for its stream."""

    context: Mapping[str, Any]
    picture: Picture


def render(template: str, context: Mapping[str, Any], language: str) -> str:
    """A piece of a page in this language."""
    with override(language):
        return render_to_string(template, dict(context)).strip()


def piece(template: str, context: Mapping[str, Any], language: str, shape: str, inside: str = "") -> Piece:
    """An element that is another one as soon as its shape is; it is made when somebody needs it."""
    return Piece(shape, partial(render, template, context, language), inside)


def drawn(template: str, context: Mapping[str, Any], language: str, inside: str = "") -> Piece:
    """A small element that is another one as soon as it says something else."""
    html = render(template, context, language)
    return Piece(digest(html), lambda: html, inside)


def digest(*parts: Any) -> str:
    """The same for the same, in every process: parts are numbers, texts, and lists and dataclasses of such.

    In other units it is another one: what was drawn in them has their names in it.
    """
    wanted = units.current()
    said = repr(parts if wanted == units.SI else (wanted, parts))
    return hashlib.blake2s(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
