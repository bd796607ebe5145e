"""A day of a fleet, made up so that pages can be judged full: written by the services that real data goes through."""
