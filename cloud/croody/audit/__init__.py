"""Who did what to what, when: one table that is only ever added to."""
