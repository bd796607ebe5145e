"""What a stranger's form asks for: an address, and a trap. What only a program fills in gives it away: nobody sees that field."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

EMPTY: Final = _("Está vacío: escríbelo para que podamos contestarte.")


class Visitor(forms.Form):
    """An address, and a trap."""

    email = forms.EmailField(
        label=_("Correo"),
        max_length=254,
        error_messages={"required": EMPTY, "invalid": _("No es una dirección: nombre@ejemplo.org")},
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
