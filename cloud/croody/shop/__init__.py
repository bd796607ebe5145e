"""The shop: products, carts, orders, payments, and the pages of buyers and of who keeps it. One seller, whose organisation runs it."""
