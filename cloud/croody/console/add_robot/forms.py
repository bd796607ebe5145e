"""What a person types to add a robot. Says which field is wrong and why; the services decide the same once more."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.console.add_robot import facts
from croody.console.add_robot.ways import WORDS
from croody.fleet import adding
from croody.fleet.models import Site
from croody_contract import topics

_KINDS: Final = 32


class AddRobot(forms.Form):
    """Name, kind, where it works, how it speaks. What was typed stays when something is wrong."""

    robot_id = forms.CharField(
        label=gettext_lazy("Identificador"),
        max_length=64,
        help_text=gettext_lazy("De 3 a 64 letras sin tilde, dígitos, «_» o «-». No cambia nunca."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    label = forms.CharField(
        label=gettext_lazy("Nombre"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Como lo llama tu equipo. Se puede dejar vacío."),
    )
    kind = forms.CharField(
        label=gettext_lazy("Qué es"), max_length=_KINDS, initial="rover", help_text=gettext_lazy("En una palabra: rover, brazo, sensor.")
    )
    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("De quién es"), empty_label=None)
    site = forms.ModelChoiceField(
        Site.objects.none(), label=gettext_lazy("Dónde trabaja"), required=False, empty_label=gettext_lazy("En ningún sitio")
    )
    way = forms.ChoiceField(label=gettext_lazy("Con qué habla"), choices=list(WORDS.items()), widget=forms.RadioSelect, initial="docker")
    shared = forms.BooleanField(label=gettext_lazy("Sale en el monitor público, con sus lecturas"), required=False)

    def __init__(self, caller: Caller, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._caller = caller
        teams, sites = facts.teams(caller), facts.sites(caller)
        self.fields["organisation"].queryset = Organisation.objects.filter(pk__in=[team.pk for team in teams])  # type: ignore[attr-defined]
        self.fields["site"].queryset = Site.objects.filter(pk__in=[site.pk for site in sites]).order_by("name")  # type: ignore[attr-defined]
        if len(teams) == 1:
            self.fields["organisation"].required = False
            self.fields["organisation"].initial = teams[0]
        self.teams = teams

    def clean_robot_id(self) -> str:
        """Its grammar, and what is told of a name that others have."""
        robot_id: str = self.cleaned_data["robot_id"].strip()
        if not topics.ROBOT_ID.fullmatch(robot_id):
            raise forms.ValidationError(_("«%(id)s»: usa de 3 a 64 letras sin tilde, dígitos, «_» o «-»") % {"id": robot_id[:80]})
        if adding.is_strange(self._caller, robot_id):
            raise forms.ValidationError(_("«%(id)s»: ya está en uso: elige otro") % {"id": robot_id})
        return robot_id

    def clean(self) -> dict[str, Any]:
        """What one field says of another."""
        cleaned: dict[str, Any] = super().clean() or {}
        organisation = cleaned.get("organisation") or (self.teams[0] if len(self.teams) == 1 else None)
        cleaned["organisation"] = organisation
        site = cleaned.get("site")
        if organisation is None:
            return cleaned
        if site is not None and site.organisation_id != organisation.pk:
            self.add_error(
                "site", _("«%(site)s» es de otra organización: elige uno de %(whose)s") % {"site": site.name, "whose": organisation.name}
            )
        administers = adding.administers(self._caller, organisation)
        if cleaned.get("shared") and not administers:
            self.add_error("shared", _("Compartirlo con el público es de quienes son dueños en %(whose)s") % {"whose": organisation.name})
        robot_id = cleaned.get("robot_id")
        if robot_id and not administers and adding.revoked(robot_id) is not None:
            said = {"id": robot_id, "whose": organisation.name}
            self.add_error("robot_id", _("«%(id)s» fue revocado: lo traen de vuelta quienes son dueños en %(whose)s") % said)
        return cleaned
