"""Products as a table: what an export writes and an import reads. Reading writes nothing; what is wrong names row, column, value and rule.

Stock is no column: it changes by goods that arrive and are sold, each of which is written down.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from croody.shop import money
from croody.shop.models import Product
from croody.shop.money import DECIMALS
from croody.web.address import whole

COLUMNS: Final = (
    "slug",
    "kind",
    "name_es",
    "name_en",
    "summary_es",
    "summary_en",
    "text_es",
    "text_en",
    "price",
    "currency",
    "tax",
    "most_an_order",
    "width_mm",
    "height_mm",
    "depth_mm",
    "weight_g",
    "fits",
    "enrols",
    "shown",
    "drawn_as",
)
MOST_ROWS: Final = 2000
MOST_BYTES: Final = 1024 * 1024
#: Mistakes that are told at a time.
MOST_TOLD: Final = 8
#: A spreadsheet takes these for formulas, so an export has a quote before them.
_QUOTED: Final = re.compile(r"'(?=[=+\-@\t\r])")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
_LONGEST: Final[Mapping[str, int]] = {"name_es": 80, "name_en": 80, "summary_es": 200, "summary_en": 200, "text_es": 5000, "text_en": 5000}
_NUMBERS: Final = ("most_an_order", "width_mm", "height_mm", "depth_mm", "weight_g")


@dataclass(slots=True)
class Read:
    """What a file says: fields of products by slug, and what is wrong with it."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def row_of(one: Product) -> list[Any]:
    """A product as a row."""
    said = {name: getattr(one, name) for name in COLUMNS if hasattr(one, name)}
    said |= {"price": str(one.price.decimal), "tax": one.tax.name, "fits": ";".join(one.fits)}
    return [int(value) if isinstance(value := said[name], bool) else value for name in COLUMNS]


def read(text: str, taxes: Mapping[str, int], taken: frozenset[str]) -> Read:
    """Read a file.

    Args:
        text: with a line of column names; those that it lacks stay as they are, new products need a slug, kind, names and price.
        taxes: name -> id.
        taken: slugs that are words of the shop's own addresses.
    """
    found = Read()
    text = text.removeprefix("\ufeff")
    # A spreadsheet writes what is usual where it runs; old ones end a line as nobody else does.
    separator = max(",;\t", key=text.partition("\n")[0].count)
    lines = csv.DictReader(io.StringIO(text, newline=None), delimiter=separator, strict=True)
    try:
        names = list(lines.fieldnames or [])
        found.wrong += _wrong_columns(names)
        if not found.wrong:
            _read_rows(lines, len(names), found, taxes, taken)
    except csv.Error as error:
        told = {"line": lines.line_num, "error": error}
        found.wrong.append(_("línea %(line)s: no es CSV (%(error)s): mira sus comillas, o guárdalo otra vez como «CSV UTF-8»") % told)
    return found


def _wrong_columns(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in COLUMNS]
    if unknown or "slug" not in names:
        told = {"names": ", ".join(unknown)[:80], "known": ", ".join(COLUMNS)}
        return [_("columnas: «%(names)s» no es ninguna, o falta slug. Son: %(known)s") % told]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return [_("columnas: «%(names)s» está dos veces: deja una") % {"names": ", ".join(twice)}]
    if "currency" in names and "price" not in names:
        return [_("columnas: currency va con price: escribe las dos, o ninguna")]
    return []


def _read_rows(lines: Iterable[Mapping[Any, Any]], most: int, found: Read, taxes: Mapping[str, int], taken: frozenset[str]) -> None:
    for number, line in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            found.wrong.append(_("caben %(most)s filas: reparte el archivo en varios") % {"most": MOST_ROWS})
            return
        # What is too short or too long has a separator too few or too many, and every cell behind it is another column's.
        count = sum(value is not None for name, value in line.items() if name is not None) + len(line.get(None) or ())
        if count != most:
            told = {"number": number, "count": count, "most": most}
            found.wrong.append(_("fila %(number)s: tiene %(count)s celdas y hay %(most)s columnas: escribe una por columna") % told)
        else:
            _read_row(number, line, found, taxes, taken)
        if len(found.wrong) >= MOST_TOLD:
            return


def _read_row(number: int, line: Mapping[str, Any], found: Read, taxes: Mapping[str, int], taken: frozenset[str]) -> None:
    said = {name: _QUOTED.sub("", str(value or "").strip(), count=1).replace("\x00", "") for name, value in line.items() if name in COLUMNS}
    slug = said.pop("slug", "")
    row: dict[str, Any] = {}
    wrong = list(_wrong(slug, said, row, taxes, taken, found))
    found.wrong += [_("fila %(number)s, %(what)s") % {"number": number, "what": what} for what in wrong]
    if not wrong:
        found.rows[slug] = row


def _wrong(
    slug: str, said: Mapping[str, str], row: dict[str, Any], taxes: Mapping[str, int], taken: frozenset[str], found: Read
) -> Iterator[str]:
    if not _SLUG.fullmatch(slug) or slug in taken or slug in found.rows:
        yield _("slug: «%(value)s» ya está, o no son de 2 a 60 letras minúsculas, dígitos y guiones") % {"value": slug[:60]}
    for name, value in said.items():
        if name in ("price", "currency"):
            continue
        try:
            row.update(_field(name, value, taxes))
        except ValueError as error:
            yield f"{name}: {error}"
    if "price" in said:
        currency = said.get("currency", "")
        amount = money.read(said["price"], currency) if currency in DECIMALS else None
        if amount is None or amount.minor < 0:
            shown = {"price": said["price"][:20], "currency": currency[:8], "known": ", ".join(DECIMALS)}
            yield _("price: «%(price)s» en «%(currency)s» no es un precio: escribe 49.90 y una moneda de %(known)s") % shown
        else:
            row |= {"price_minor": amount.minor, "currency": currency}


def _field(name: str, value: str, taxes: Mapping[str, int]) -> dict[str, Any]:
    """One column's value as fields of a product.

    Raises:
        ValueError: what is wrong.
    """
    if name in _LONGEST:
        return {name: _text(value, _LONGEST[name], empty=name.startswith("text_"))}
    if name in _NUMBERS:
        return {name: _number(value)}
    return _OTHERS[name](value, taxes)


def _text(value: str, most: int, *, empty: bool) -> str:
    if len(value) > most or not (value or empty):
        raise ValueError(_("son de 1 a %(most)s letras; son %(count)s") % {"most": most, "count": len(value)})
    return value


def _number(value: str) -> int:
    number = whole(value or "0", 7)
    if number is None:
        raise ValueError(_("«%(value)s» no es un número entero") % {"value": value[:20]})
    return number


def _one_of(name: str, value: str, known: Mapping[str, Any]) -> Any:
    if value not in known:
        raise ValueError(_("«%(value)s» no es ninguno de %(known)s") % {"value": value[:40], "known": ", ".join(known)})
    return known[value]


_KINDS: Final = {kind.value: kind.value for kind in Product.Kind}
_TRUE: Final = {"1": True, "0": False, "": False}
_OTHERS: Final[Mapping[str, Callable[[str, Mapping[str, int]], dict[str, Any]]]] = {
    "kind": lambda value, taxes: {"kind": _one_of("kind", value, _KINDS)},
    "tax": lambda value, taxes: {"tax_id": _one_of("tax", value, taxes)},
    "fits": lambda value, taxes: {"fits": [part.strip()[:32] for part in value.split(";") if part.strip()][:20]},
    "enrols": lambda value, taxes: {"enrols": _one_of("enrols", value, _TRUE)},
    "shown": lambda value, taxes: {"shown": _one_of("shown", value, _TRUE)},
    "drawn_as": lambda value, taxes: {"drawn_as": _text(value, 12, empty=True)},
}
