"""The names of the demo: its organisation and its operator. Makes neither; `croody.operations.demo` does."""

from typing import Final

#: Name and slug.
ORGANISATION: Final = ("Croody demo", "demo")
OPERATOR: Final = "operator"
