"""Everything that needs a person, in one list."""
