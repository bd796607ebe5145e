"""How the roles are served: entry points, addresses, access log. Imports everything, and nothing imports it."""
