"""`/console/`, Flota: does any robot need me, which, why, since when."""
