"""The public site: what Croody is, how to connect to it, whether it is well, and the forms that visitors write in."""
