"""What the shop keeps. Money is whole minor units (`money`); what an order says of a product is a copy, and stays."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from croody.accounts.models import Organisation
from croody.fleet.models import Robot
from croody.shop.money import Money
from croody.shop.moves import State


def _none_below(*fields: str) -> list[models.BaseConstraint]:
    return [models.CheckConstraint(name=f"shop_{field}_not_below_zero", condition=models.Q(**{f"{field}__gte": 0})) for field in fields]


class Seller(models.Model):
    """Who sells: one row. The members of its organisation keep the shop, each by their role: see `access`."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    tax_id = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    email = models.EmailField(blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    #: What a buyer is told who pays by transfer; empty: no transfers.
    transfer = models.TextField(blank=True)
    #: Orders may be paid in the sandbox, which moves no money.
    sandbox = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Tax(models.Model):
    """A rate in hundredths of a percent, within prices."""

    name = models.CharField(max_length=40, unique=True)
    rate_bp = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something to buy. `stock` is what can still be bought: what is reserved is out of it already."""

    class Kind(models.TextChoices):
        """What it is."""

        BOARD = "board"
        ROBOT = "robot"
        SENSOR = "sensor"
        PART = "part"

    slug = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name_es = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    summary_es = models.CharField(max_length=200)
    summary_en = models.CharField(max_length=200)
    text_es = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    #: Both languages, lower case without accents: what the search looks through.
    words = models.TextField(blank=True)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")
    stock = models.IntegerField(default=0)
    most_an_order = models.PositiveIntegerField(default=10)
    #: How it is drawn where it has no photograph, a name of `drawing`; empty: as its kind.
    drawn_as = models.CharField(max_length=12, blank=True, default="")
    width_mm = models.PositiveIntegerField(default=0)
    height_mm = models.PositiveIntegerField(default=0)
    depth_mm = models.PositiveIntegerField(default=0)
    weight_g = models.PositiveIntegerField(default=0)
    #: Kinds of robots of the fleet that it fits, as `Robot.kind` has them.
    fits = models.JSONField(default=list)
    #: A board that runs the agent: each one sold comes with a claim.
    enrols = models.BooleanField(default=False)
    shown = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = _none_below("stock", "price_minor")
        indexes = [
            models.Index(fields=["shown", "price_minor"], name="shop_by_price"),
            models.Index(fields=["shown", "kind", "price_minor"], name="shop_by_kind"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def price(self) -> Money:
        """Tax within."""
        return Money(self.currency, self.price_minor)

    def name(self, language: str) -> str:
        """What it is called."""
        return self.name_en if language == "en" else self.name_es

    def summary(self, language: str) -> str:
        """What it does for one, in a sentence."""
        return self.summary_en if language == "en" else self.summary_es

    def text(self, language: str) -> str:
        """The rest."""
        return self.text_en if language == "en" else self.text_es


class ProductPicture(models.Model):
    """A picture of a product, made anew from what was uploaded. `digest`: of its largest file, in all its addresses."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="pictures")
    place = models.PositiveIntegerField()
    #: What it shows; empty: the product's name.
    alt_es = models.CharField(max_length=200, blank=True)
    alt_en = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, db_index=True)
    #: Pixels; those that there are as WebP, and the largest's.
    widths = models.JSONField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "digest"], name="shop_one_picture_once")]


class PictureFile(models.Model):
    """A picture in one size, as it is sent: `webp` or `jpeg`."""

    picture = models.ForeignKey(ProductPicture, on_delete=models.CASCADE, related_name="files")
    width = models.PositiveIntegerField()
    kind = models.CharField(max_length=4)
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["picture", "width", "kind"], name="shop_one_file_a_size")]


class StockMove(models.Model):
    """Every change of a product's stock; their sum is the stock."""

    class Why(models.TextChoices):
        """What for."""

        ARRIVED = "arrived"
        RESERVED = "reserved"
        RETURNED = "returned"
        CORRECTED = "corrected"

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="moves")
    change = models.IntegerField()
    why = models.CharField(max_length=12, choices=Why.choices)
    order = models.ForeignKey("Order", on_delete=models.PROTECT, null=True, related_name="+")
    who = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["product", "-id"], name="shop_moves_of_product")]


class StockWait(models.Model):
    """Somebody who wants to know once a product is there again. Counts once the address is confirmed; gone once they were told."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="waits")
    email = models.EmailField()
    language = models.CharField(max_length=2)
    asked_at = models.DateTimeField(db_index=True)
    confirmed_at = models.DateTimeField(null=True)
    #: From then on they may be told; null: not confirmed, or being told right now.
    next_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    #: When it was last taken to be told: nobody else tells them, too.
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "email"], name="shop_one_wait_an_address")]
        indexes = [
            models.Index(fields=["product", "next_at"], condition=models.Q(next_at__isnull=False), name="shop_waits_to_tell"),
            models.Index(fields=["email"], name="shop_waits_of_address"),
        ]


class Coupon(models.Model):
    """Something off the goods: a share, or an amount of one currency."""

    code = models.CharField(max_length=24, unique=True)
    share_bp = models.PositiveIntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    expires_at = models.DateTimeField(null=True)
    most_uses = models.PositiveIntegerField(default=0)
    used = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.code


class ShippingRate(models.Model):
    """A way to deliver. `countries`: ISO codes to which it goes. From `free_from_minor` of goods on it costs nothing."""

    name_es = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    countries = models.JSONField(default=list)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    tax = models.ForeignKey(Tax, on_delete=models.PROTECT, related_name="+")
    free_from_minor = models.BigIntegerField(null=True)
    days_least = models.PositiveIntegerField()
    days_most = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name_es

    def name(self, language: str) -> str:
        """What it is called."""
        return self.name_en if language == "en" else self.name_es


class Cart(models.Model):
    """What somebody means to buy: of a person, or of whoever has the token, which is kept as a hash."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    sha256 = models.CharField(max_length=64, null=True, unique=True)
    coupon = models.ForeignKey(Coupon, on_delete=models.SET_NULL, null=True, related_name="+")
    touched_at = models.DateTimeField(db_index=True)


class CartLine(models.Model):
    """So many of one product."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField()
    #: What it cost when it was put there: the cart says when that has changed.
    seen_minor = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cart", "product"], name="shop_one_line_a_product")]


class Numbering(models.Model):
    """The last number of a year's orders."""

    year = models.PositiveIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)


class Order(models.Model):
    """What somebody bought. `key`: the same form sent twice makes one order."""

    year = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=12, choices=[(state.value, state.value) for state in State], default=State.PENDING)
    email = models.EmailField()
    language = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    goods_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    delivery_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    #: Rate in hundredths of a percent and its part of the tax.
    taxes = models.JSONField(default=list)
    coupon = models.CharField(max_length=24, blank=True)
    delivery = models.CharField(max_length=60)
    #: Name, street, city, postcode, region, country, phone; and name, tax id and address of the invoice.
    address = models.JSONField()
    invoice = models.JSONField(default=dict)
    notes = models.TextField(blank=True)
    provider = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    #: Until then its goods are kept for whoever has not paid yet.
    reserved_until = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    tracking = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["year", "number"], name="shop_one_order_a_number")]
        indexes = [
            models.Index(fields=["state", "-id"], name="shop_orders_by_state"),
            models.Index(fields=["user", "-id"], name="shop_orders_of_person"),
            models.Index(Lower("email"), name="shop_orders_of_address"),
            models.Index(fields=["reserved_until"], condition=models.Q(reserved_until__isnull=False), name="shop_reserved"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """`2026-000017`."""
        return f"{self.year}-{self.number:06d}"

    def money(self, minor: int) -> Money:
        """An amount of this order."""
        return Money(self.currency, minor)

    @property
    def total(self) -> Money:
        """What is paid."""
        return self.money(self.total_minor)


class OrderLine(models.Model):
    """So many of a product, at the price and by the name of that day."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField()
    unit_minor = models.BigIntegerField()
    tax_bp = models.PositiveIntegerField()


class SoldBoard(models.Model):
    """A board of an order that is a robot of the buyer's organisation: it comes in by a claim."""

    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="boards")
    robot = models.ForeignKey(Robot, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()


class OrderEvent(models.Model):
    """What happened to an order: the states it went through, by whom."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    state = models.CharField(max_length=12)
    who = models.CharField(max_length=150)
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()


class SavedAddress(models.Model):
    """Where somebody wants things sent to, as `Order.address` has it. One is used unless they choose another."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    address = models.JSONField()
    is_default = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(is_default=True), name="shop_one_address_is_first"),
        ]


class Payment(models.Model):
    """One try to pay an order with a provider. `reference` is how both call it."""

    class Status(models.TextChoices):
        """How it stands, as far as the provider said."""

        BEGUN = "begun"
        CHALLENGED = "challenged"
        SUCCEEDED = "succeeded"
        DECLINED = "declined"
        EXPIRED = "expired"
        REFUNDED = "refunded"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    provider = models.CharField(max_length=16)
    reference = models.CharField(max_length=64, unique=True)
    #: How the provider calls it; empty where it does not.
    theirs = models.CharField(max_length=120, blank=True, default="", db_default="")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.BEGUN)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()


class PaymentNotice(models.Model):
    """What a provider told us, once: the same notice again changes nothing."""

    provider = models.CharField(max_length=16)
    notice_id = models.CharField(max_length=80)
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, related_name="notices")
    status = models.CharField(max_length=12)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "notice_id"], name="shop_one_notice")]


class OrderMail(models.Model):
    """A mail about an order that waits, went, or was given up (neither `next_at` nor `sent_at`).

    `kind` is the state that it tells of, or another word of `mail_texts`.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="mails")
    kind = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="shop_mails_waiting")]
