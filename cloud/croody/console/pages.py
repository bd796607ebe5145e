"""The console's pages as its navigation names them: one table. A page that is not built is not in it."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from croody.fleet.access import Action

#: Parts of the navigation, in their order, and what stands above each.
SECTIONS: Final[dict[str, str | Promise]] = {"": "", "understand": _("Entender"), "change": _("Cambiar")}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console.

    Attributes:
        name: what its view calls itself, so that the navigation marks it.
        icon: its symbol in `web/icons.svg`.
        url: the name of its address.
        section: a part of the navigation.
        needs: who may do this to no organisation's robots is not led there.
        bar: it stands in the bar at the bottom of a phone; the others are behind "Más".
    """

    name: str
    words: str | Promise
    icon: str
    url: str
    section: str = ""
    bar: bool = False
    needs: Action | None = None

    @property
    def key(self) -> str:
        """The key that leads to it after G; empty for none."""
        return KEYS.get(self.name, "")


#: Page -> the key that leads to it after G.
KEYS: Final = {
    "fleet": "F",
    "map": "M",
    "alerts": "A",
    "delivery": "D",
    "detection": "I",
    "log": "L",
    "rules": "R",
    "access": "P",
    "system": "S",
    "kpis": "K",
    "add_robot": "N",
}
PAGES: Final = (
    Page("fleet", _("Flota"), "nav-fleet", "console", bar=True),
    Page("map", _("Mapa"), "nav-map", "console_map", bar=True),
    Page("alerts", _("Alertas"), "nav-alerts", "console_alerts", bar=True),
    Page("handover", _("Relevo"), "clock", "console_handover"),
    Page("detection", _("Detección"), "nav-detection", "console_detection", section="understand"),
    Page("delivery", _("Entregas"), "nav-delivery", "console_delivery", section="understand"),
    Page("kpis", _("KPI"), "nav-kpis", "console_kpis", section="understand"),
    Page("log", _("Bitácora"), "nav-log", "console_log", section="understand"),
    Page("rules", _("Reglas y avisos"), "nav-rules", "console_rules", section="change"),
    Page("access", _("Accesos"), "nav-access", "console_access", section="change"),
    Page("add_robot", _("Agregar un robot"), "plus", "console_add_robot", section="change", needs=Action.CONFIGURE),
    Page("sites", _("Sitios"), "nav-sites", "console_sites", section="change"),
    Page("system", _("Sistema"), "nav-system", "console_system", section="change", needs=Action.CONFIGURE),
)
