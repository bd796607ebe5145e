"""The telemetry API over HTTP, for robots, scripts and the bridge. Decides nothing itself."""
