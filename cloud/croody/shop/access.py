"""Who may keep the shop: one table, by the role that somebody has in the seller's organisation.

What one may not know of does not exist for one: that is 404. What one sees and may not do is 403.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from croody.accounts.caller import Caller, Role
from croody.shop.models import Seller
from croody.web.refusals import Denied


class ShopAct(StrEnum):
    """What somebody may do in the shop."""

    LOOK = "shop_look"
    """See orders, products and stock."""
    FULFIL = "shop_fulfil"
    """Bring orders on, book goods in."""
    STOCK_LIST = "shop_products"
    """Change what is sold, and for how much."""
    REFUND = "shop_refund"
    """Pay money back."""


_FULFILS: Final = frozenset({ShopAct.LOOK, ShopAct.FULFIL})
#: Role in the seller's organisation -> what it may do.
ROLES: Final[Mapping[Role, frozenset[ShopAct]]] = {
    Role.VIEWER: frozenset({ShopAct.LOOK}),
    Role.OPERATOR: _FULFILS,
    Role.MAINTAINER: _FULFILS | {ShopAct.STOCK_LIST},
    Role.OWNER: frozenset(ShopAct),
}


def may(caller: Caller, act: ShopAct, organisation_id: int) -> bool:
    """Say whether the caller may do this for the seller's organisation. Pure. Keys of programs keep no shop."""
    if caller.kind != "person":
        return False
    role = dict(caller.roles).get(organisation_id)
    return caller.superuser or (role is not None and act in ROLES[role])


def need(caller: Caller, act: ShopAct) -> Seller:
    """The seller, when the caller may do this.

    Raises:
        Denied: 404, there is none, or they may not know of it; 403, they see it and may not.
    """
    seller = Seller.objects.select_related("organisation").first()
    if seller is None or not may(caller, ShopAct.LOOK, seller.organisation_id):
        raise Denied(404, "shop: there is none that you keep")
    if not may(caller, act, seller.organisation_id):
        raise Denied(403, "shop: you may look at it, but your role may not do this")
    return seller
