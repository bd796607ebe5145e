"""`/console/sites/`, Sitios: where robots work, how big it is, where on Earth."""
