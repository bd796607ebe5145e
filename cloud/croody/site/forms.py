"""Forms of visitors."""

from typing import Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from croody.web.visitor_form import EMPTY, Visitor

PLANS: Final[dict[str, str | Promise]] = {
    "desk": _("Mesa: un Buddy, tu servidor"),
    "team": _("Equipo: hasta cinco, con turnos"),
    "school": _("Escuela: un aula, con prácticas"),
}
_LONG: Final = _("Caben %(limit_value)s letras; son %(show_value)s.")


class Contact(Visitor):
    """A message."""

    name = forms.CharField(
        label=_("Nombre"),
        max_length=120,
        error_messages={"required": EMPTY, "max_length": _LONG},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    text = forms.CharField(
        label=_("Mensaje"),
        max_length=4000,
        error_messages={"required": EMPTY, "max_length": _LONG},
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    field_order = ("name", "email", "text", "website")


class Beta(Visitor):
    """Who wants to try Buddy, and how."""

    plan = forms.ChoiceField(label=_("Plan"), choices=list(PLANS.items()))
    note = forms.CharField(
        label=_("Para qué lo quieres"),
        max_length=300,
        required=False,
        error_messages={"max_length": _LONG},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    field_order = ("email", "plan", "note", "website")
