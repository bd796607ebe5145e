"""Compresses pages for a browser that takes it, where no gateway does: no stream, which would be held back, and no photograph."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class Compress(GZipMiddleware):
    """Django's, which hides a secret's length behind random bytes. Static files come compressed already."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Leave streams and files as they are."""
        if response.streaming or response.headers.get("Content-Type", "") in ("image/webp", "image/jpeg"):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
