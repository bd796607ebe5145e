"""What a seller sets up once, on the admin site: who sells, taxes, deliveries, coupons. Orders and products have pages of their own."""

from typing import Any, Final

from django import forms
from django.contrib import admin

from croody.shop.countries import COUNTRIES
from croody.shop.models import Coupon, Seller, ShippingRate, Tax
from croody.shop.money import DECIMALS

_CURRENCIES: Final = [(code, code) for code in DECIMALS]


class InCurrency(forms.ModelForm):  # type: ignore[type-arg]
    """Of what the shop can count in."""

    currency = forms.ChoiceField(choices=_CURRENCIES)


class RateForm(InCurrency):
    """To countries that the shop knows."""

    countries = forms.MultipleChoiceField(choices=list(COUNTRIES.items()))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["free_from_minor"].required = False


class CouponForm(forms.ModelForm):  # type: ignore[type-arg]
    """A share, or an amount of one currency."""

    currency = forms.ChoiceField(choices=[("", "-"), *_CURRENCIES], required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expires_at"].required = False

    def clean_code(self) -> str:
        """As the cart looks for it."""
        return str(self.cleaned_data["code"]).strip().upper()


@admin.register(Seller)
class Sellers(admin.ModelAdmin):  # type: ignore[type-arg]
    """One."""

    form = InCurrency
    list_display = ("name", "organisation", "currency", "sandbox")

    def has_add_permission(self, request: Any) -> bool:
        """There is one, or none yet."""
        return super().has_add_permission(request) and not Seller.objects.exists()


@admin.register(Tax)
class Taxes(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rates within prices."""

    list_display = ("name", "rate_bp")


@admin.register(ShippingRate)
class Rates(admin.ModelAdmin):  # type: ignore[type-arg]
    """Ways to deliver."""

    form = RateForm
    list_display = ("name_es", "price_minor", "currency", "free_from_minor")


@admin.register(Coupon)
class Coupons(admin.ModelAdmin):  # type: ignore[type-arg]
    """The newest first."""

    form = CouponForm
    list_display = ("code", "share_bp", "amount_minor", "currency", "used", "most_uses", "expires_at")
    readonly_fields = ("used",)
    ordering = ("-pk",)
