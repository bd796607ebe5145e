"""People: how they get in, and the token their scripts use."""
