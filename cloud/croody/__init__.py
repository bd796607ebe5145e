"""The cloud of Croody. Importing this package imports nothing else: the bridge lives here too and has no Django."""
