"""The background role: a table of jobs, and one leader that runs it."""
