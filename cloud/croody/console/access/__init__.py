"""`/console/access/`, Accesos: who can do what here."""
