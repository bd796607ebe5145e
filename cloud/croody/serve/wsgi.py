"""WSGI entry of the roles that answer at once: `telemetry`, `ids`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
application = get_wsgi_application()
