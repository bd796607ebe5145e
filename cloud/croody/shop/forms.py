"""The forms of the checkout and of addresses. Their texts name the value, the rule and the remedy."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from croody.shop import countries
from croody.shop.models import ShippingRate

WAYS: Final[dict[str, str | Promise]] = {
    "stripe": _("Tarjeta, en la página de Stripe"),
    "sandbox": _("Pago de prueba: no mueve dinero"),
    "manual": _("Transferencia bancaria: te decimos cómo después de confirmar"),
}
_ADDRESS: Final = ("name", "street", "city", "postcode", "region", "country", "phone")
_INVOICE: Final = ("company", "tax_id")


def _text(label: Any, most: int, autocomplete: str, *, required: bool = True, help_text: Any = "") -> forms.CharField:
    missing = {
        "required": _("Está vacío: escríbelo para que el pedido llegue."),
        "max_length": _("Caben %(limit_value)s letras; son %(show_value)s."),
    }
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=most, required=required, help_text=help_text, error_messages=missing, widget=widget)


class Address(forms.Form):
    """Where things go. `codes`: countries that one may choose."""

    name = _text(_("Nombre y apellidos"), 120, "name")
    street = _text(_("Calle, número, piso"), 160, "street-address")
    city = _text(_("Ciudad"), 80, "address-level2")
    postcode = _text(_("Código postal"), 16, "postal-code", required=False)
    region = _text(_("Provincia o departamento"), 80, "address-level1", required=False)
    country = forms.ChoiceField(
        label=_("País"),
        error_messages={"required": _("Está vacío: elige a qué país va.")},
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    phone = _text(_("Teléfono"), 32, "tel", required=False, help_text=_("Para el transportista, si no te encuentra."))

    def __init__(self, *args: Any, codes: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("country", [("", _("Elige…")), *countries.named(codes)])

    def _choose(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def address(self) -> dict[str, str]:
        """Where it goes."""
        return {name: str(self.cleaned_data[name]) for name in _ADDRESS}


class Checkout(Address):
    """Who buys, where it goes, how it is paid."""

    email = forms.EmailField(
        label=_("Correo"),
        max_length=254,
        help_text=_("Ahí va el enlace de tu pedido."),
        error_messages={
            "required": _("Está vacío: sin correo no podemos enviarte el enlace."),
            "invalid": _("No es una dirección: nombre@ejemplo.org"),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    company = _text(_("Empresa"), 120, "organization", required=False, help_text=_("Solo si la factura va a su nombre."))
    tax_id = _text(_("Identificación fiscal"), 40, "off", required=False)
    rate = forms.ChoiceField(label=_("Entrega"), error_messages={"required": _("Está vacío: elige cómo llega.")}, widget=forms.RadioSelect)
    provider = forms.ChoiceField(label=_("Pago"), error_messages={"required": _("Está vacío: elige cómo pagas.")}, widget=forms.RadioSelect)
    notes = forms.CharField(label=_("Notas para el envío"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    keep = forms.BooleanField(required=False)
    key = forms.CharField(max_length=32, widget=forms.HiddenInput)
    #: As they stand on the page: what is wrong is told in that order.
    field_order = ("email", *_ADDRESS)

    def __init__(self, *args: Any, rates: Sequence[ShippingRate], ways: Sequence[str], currency: str, language: str, **kwargs: Any) -> None:
        super().__init__(*args, codes={code for rate in rates for code in rate.countries}, **kwargs)
        self.rates = {str(rate.pk): rate for rate in rates}
        self._choose("rate", [(key, rate.name(language)) for key, rate in self.rates.items()])
        self._choose("provider", [(way, WAYS[way]) for way in ways])

    def clean(self) -> dict[str, Any]:
        """The delivery chosen goes to the country chosen."""
        said = super().clean() or {}
        rate, country = self.rates.get(said.get("rate", "")), said.get("country")
        if rate is not None and country and country not in rate.countries:
            self.add_error("rate", _("Esta entrega no llega a ese país: elige otra."))
        return said

    def invoice(self) -> dict[str, str]:
        """Whom the invoice names, beside the address."""
        return {name: str(self.cleaned_data[name]) for name in _INVOICE if self.cleaned_data[name]}
