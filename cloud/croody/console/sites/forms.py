"""What a person types about a site. Reads numbers in both ways of writing them; `fleet.sites` decides."""

import json
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts.models import Organisation
from croody.fleet.models import Site
from croody.fleet.sites import LEAST_M, MOST_M, PARTS, Wanted
from croody.web import decimals

_MOST_PLAN_CHARS: Final = 65_536


class Number(forms.Field):
    """A number as people write it; text that is none, or may be two, is said back.

    Args:
        least, most: what it can be, in the field's unit: tells `4.711` degrees from 4711.
    """

    def __init__(self, least: float, most: float, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **kwargs)
        self.least, self.most = least, most

    def to_python(self, value: Any) -> float | None:
        """The number.

        Raises:
            ValidationError: it is none.
        """
        text = str(value or "").strip()
        try:
            return decimals.read(text, self.least, self.most) if text else None
        except decimals.BadDecimal as error:
            raise forms.ValidationError(str(error)) from error

    def prepare_value(self, value: Any) -> Any:
        """What was typed as it was; what is saved so that saving it again changes nothing."""
        return decimals.written(value) if isinstance(value, int | float) else value


class SiteForm(forms.Form):
    """A site's name, floor and place."""

    name = forms.CharField(label=gettext_lazy("Nombre"), max_length=120)
    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("De quién es"), empty_label=None, required=False)
    width_m = Number(
        LEAST_M, MOST_M, label=gettext_lazy("Ancho del plano, en metros"), help_text=gettext_lazy("De oeste a este. Vacío: sin plano.")
    )
    height_m = Number(LEAST_M, MOST_M, label=gettext_lazy("Alto del plano, en metros"), help_text=gettext_lazy("De norte a sur."))
    lat = Number(
        -90, 90, label=gettext_lazy("Latitud, en grados"), help_text=gettext_lazy("De la esquina noroeste del plano, o del lugar.")
    )
    lng = Number(-180, 180, label=gettext_lazy("Longitud, en grados"))
    parts = forms.CharField(
        label=gettext_lazy("Dibujo del plano, en JSON"),
        required=False,
        max_length=_MOST_PLAN_CHARS,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code"}),
        help_text=gettext_lazy(
            'Paredes, estantes, muelles: {"racks": [{"name": "A1", "x_m": 8, "y_m": 3, "w_m": 2, "h_m": 7}]}. Vacío: solo el contorno.'
        ),
    )

    def __init__(self, teams: list[Organisation], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = teams
        self.fields["organisation"].queryset = Organisation.objects.filter(pk__in=[team.pk for team in teams])  # type: ignore[attr-defined]

    def clean_parts(self) -> dict[str, Any]:
        """Of a plan file only its lists; the rest stands in other fields."""
        text = self.cleaned_data["parts"].strip()
        if not text:
            return {}
        try:
            plan = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("no es JSON: %(error)s") % {"error": error}) from error
        if not isinstance(plan, dict):
            raise forms.ValidationError(_("es JSON, y no un objeto: empieza con { y acaba con }"))
        return {name: value for name, value in plan.items() if name in PARTS}

    def wanted(self) -> Wanted:
        """What was typed."""
        said = self.cleaned_data
        return Wanted(said["name"], said["width_m"], said["height_m"], said["lat"], said["lng"], said["parts"])

    @property
    def organisation_said(self) -> Organisation | None:
        """Whose it shall be; of one there is no choice."""
        chosen: Organisation | None = self.cleaned_data.get("organisation")
        return chosen or (self.teams[0] if len(self.teams) == 1 else None)


def of_site(site: Site) -> dict[str, Any]:
    """A site as the form shows it."""
    plan = site.plan if isinstance(site.plan, dict) else {}
    parts = {name: plan[name] for name in PARTS if plan.get(name)}
    drawn = json.dumps(parts, ensure_ascii=False, separators=(", ", ": ")) if parts else ""
    size = {"width_m": plan.get("width_m"), "height_m": plan.get("height_m")}
    return {"name": site.name, "lat": site.origin_lat, "lng": site.origin_lng, "parts": drawn, **size}
