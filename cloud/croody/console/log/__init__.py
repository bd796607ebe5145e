"""`/console/log/`, Bitácora: who did what to what, when."""
