"""Croody's HTTP API, v1, for Python: typed answers, cursors, retries. Standard library only; knows nothing of Croody's own packages."""

from croody_client.client import Client
from croody_client.errors import ApiError, Away
from croody_client.shapes import (
    Act,
    Alarm,
    Delivery,
    Entry,
    Event,
    Exception_,
    Line,
    Maintenance,
    Organisation,
    Place,
    Robot,
    Series,
    Site,
    Stream,
    Tag,
    Values,
)

__all__ = [
    "Act",
    "Alarm",
    "ApiError",
    "Away",
    "Client",
    "Delivery",
    "Entry",
    "Event",
    "Exception_",
    "Line",
    "Maintenance",
    "Organisation",
    "Place",
    "Robot",
    "Series",
    "Site",
    "Stream",
    "Tag",
    "Values",
]
