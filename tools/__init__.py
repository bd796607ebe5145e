"""What the handles of the Makefile call: set-up, `make up`, tests, checks. Nothing here runs in production."""
