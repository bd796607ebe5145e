"""What cannot be done with a model."""


class Refused(ValueError):
    """Says what is wrong with it, and what to do. Rules go on without it."""
