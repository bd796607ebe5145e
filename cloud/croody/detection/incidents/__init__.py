"""Who tries to get in, or does what is not theirs: signs from the broker, the APIs and the pages become incidents."""
