"""`/console/robots/new/`, Agregar un robot: what do I type where, and has its first reading come."""
