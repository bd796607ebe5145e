"""Countries that the shop can deliver to, by ISO code. What a seller really delivers to is said by the shipping rates."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COUNTRIES: Final[Mapping[str, str | Promise]] = {
    "AR": _("Argentina"), "BO": _("Bolivia"), "BR": _("Brasil"), "CL": _("Chile"), "CO": _("Colombia"), "CR": _("Costa Rica"),
    "CU": _("Cuba"), "DE": _("Alemania"), "DO": _("República Dominicana"), "EC": _("Ecuador"), "ES": _("España"), "FR": _("Francia"),
    "GB": _("Reino Unido"), "GT": _("Guatemala"), "HN": _("Honduras"), "IT": _("Italia"), "MX": _("México"), "NI": _("Nicaragua"),
    "PA": _("Panamá"), "PE": _("Perú"), "PT": _("Portugal"), "PY": _("Paraguay"), "SV": _("El Salvador"), "US": _("Estados Unidos"),
    "UY": _("Uruguay"), "VE": _("Venezuela"),
}  # fmt: skip


def named(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Code and name, by name in the reader's language."""
    return sorted(((code, str(COUNTRIES[code])) for code in set(codes) if code in COUNTRIES), key=lambda one: one[1])
