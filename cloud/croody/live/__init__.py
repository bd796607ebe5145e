"""Server-sent events: one reader of the database a process, any number of listeners."""
