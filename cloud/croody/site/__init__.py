"""`/` and `/estado/`: what Croody is, and whether it is well."""
