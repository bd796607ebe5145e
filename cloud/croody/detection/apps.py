"""Django's view of detection. The label is older than the folder, and is part of the tables' names."""

from django.apps import AppConfig


class DetectionConfig(AppConfig):
    """The tables are called `ids_...`."""

    name = "croody.detection"
    label = "ids"
