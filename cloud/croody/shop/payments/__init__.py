"""Ways to pay. A provider begins a payment, tells of it by notices, and pays back; no card number ever reaches us."""
