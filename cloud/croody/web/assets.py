"""Static files: hashed names, kept for ever by browsers, made lean and packed once. Knows files only."""

import hashlib
import logging
import posixpath
import re
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from croody.web import minify

log = logging.getLogger(__name__)
_STAMP = ".collected"
_LEAN: Final = {".js": minify.script, ".css": minify.style}
#: Folders of our own scripts and styles, below which nothing is others'; `vendor`, `admin` and the like are.
OUR_FOLDERS: Final = {"accounts", "console", "monitor", "shop", "site", "web"}
#: `import ... from "./x.js"` and `import "./x.js"`, as our own modules write them.
_IMPORT = re.compile(r'^import (?:[^"\n]* from )?"(\.[^"\n]+)";$', re.MULTILINE)


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names once the files were collected; their plain names before, as in tests and `make dev`."""

    manifest_strict = False
    #: A module names what it imports by its hashed name, too.
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        """The name that the address shows."""
        return str(super().stored_name(name)) if self.hashed_files else name

    def _save(self, name: str, content: Any) -> str:
        """Others' files stay as they came, with what their licence wants said in them."""
        kind = Path(name).suffix
        if kind in _LEAN and Path(name).parts[0] in OUR_FOLDERS:
            # What has its digest in its name was read to its end to make that digest.
            content.seek(0)
            content = ContentFile(_LEAN[kind](content.read().decode("utf-8")).encode("utf-8"))
        return str(super()._save(name, content))


class Static(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that hands whole files to Django: its own file iterator is synchronous, which ASGI only bears with a warning.

    It answers inside the event loop too, so that no request needs a thread only to pass by.
    """

    async_capable = True
    sync_capable = True

    def __init__(self, get_response: Any) -> None:
        with warnings.catch_warnings():
            # Before the files are collected their folder does not exist, and they are served from their sources.
            warnings.filterwarnings("ignore", message="No directory at")
            super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """The file at this address, else whatever comes next (to await, under ASGI)."""
        found = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        if found is None:
            return self.get_response(request)
        response = self.serve(found, request)
        return _later(response) if iscoroutinefunction(self) else response

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Answer with the file's bytes; none is larger than a few hundred kilobytes."""
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file as opened:
                body = opened.read()
        response = HttpResponse(body, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        if "immutable" in response.headers.get("Cache-Control", ""):
            # Nobody asks again whether it is still the same: its name says so.
            del response.headers["ETag"], response.headers["Last-Modified"]
        return response


async def _later(response: HttpResponse) -> HttpResponse:
    return response


@lru_cache(maxsize=64)
def imports_of(name: str) -> tuple[str, ...]:
    """A module and every module that it imports, however far, by their plain names."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        path = finders.find(one)
        if one in found or path is None:
            continue
        found[one] = None
        for address in _IMPORT.findall(Path(path).read_text(encoding="utf-8")):
            waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(one), address)))
    return tuple(found)


def collect_when_changed() -> bool:
    """Collect static files into `STATIC_ROOT` when their sources changed since the last time. Says whether it did.

    Raises:
        OSError: they changed and the folder cannot be written.
    """
    stamp = Path(settings.STATIC_ROOT) / _STAMP
    wanted = _fingerprint()
    try:
        if stamp.read_text(encoding="ascii") == wanted:
            return False
    except OSError:
        pass
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted, encoding="ascii")
    log.info("static files collected into %s", settings.STATIC_ROOT)
    return True


def _fingerprint() -> str:
    # How files are made lean, too: they are collected anew when that has changed.
    digest = hashlib.sha256(Path(minify.__file__).read_bytes() + Path(__file__).read_bytes())
    for name, path in sorted(_sources()):
        stat = path.stat()
        digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _sources() -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    for finder in finders.get_finders():
        storage: Any
        for name, storage in finder.list(None):
            found.append((name, Path(storage.path(name))))
    return found
