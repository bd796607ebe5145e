"""`croody` commands of telemetry."""
