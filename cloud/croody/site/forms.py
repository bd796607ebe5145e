"""Forms of visitors. What only a program fills in gives it away: nobody sees that field."""

from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PLANS: Final[dict[str, str | Promise]] = {
    "desk": _("Mesa: un Buddy, tu servidor"),
    "team": _("Equipo: hasta cinco, con turnos"),
    "school": _("Escuela: un aula, con prácticas"),
}
_EMPTY: Final = _("Está vacío: escríbelo para que podamos contestarte.")
_LONG: Final = _("Caben %(limit_value)s letras; son %(show_value)s.")


class _Visitor(forms.Form):
    """An address, and a trap."""

    email = forms.EmailField(
        label=_("Correo"),
        max_length=254,
        error_messages={"required": _EMPTY, "invalid": _("No es una dirección: nombre@ejemplo.org")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    website = forms.CharField(
        required=False, label=_("Deja esto vacío"), widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"})
    )

    @property
    def is_trapped(self) -> bool:
        """Whether a program filled it in."""
        return bool(self.data.get("website"))

    def shown(self) -> list[Any]:
        """The fields that people see."""
        return [field for field in self if field.name != "website"]


class Contact(_Visitor):
    """A message."""

    name = forms.CharField(
        label=_("Nombre"),
        max_length=120,
        error_messages={"required": _EMPTY, "max_length": _LONG},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    text = forms.CharField(
        label=_("Mensaje"),
        max_length=4000,
        error_messages={"required": _EMPTY, "max_length": _LONG},
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    field_order = ("name", "email", "text", "website")


class Beta(_Visitor):
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
