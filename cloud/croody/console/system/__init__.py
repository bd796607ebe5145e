"""`/console/system/`, Sistema: is Croody itself well."""
