"""`python -m croody.serve --bind HOST:PORT [--workers N] [--access-log]`: the web role. Knows how to start and end, serves no page."""

import argparse
import logging
import os
import sys

import django
import uvicorn

from croody.serve.file_limits import allow_many_files
from croody.serve.request_timeout import Patient

#: Streams end at once; a page that is being answered has this long to finish, in seconds.
GRACE_S = 2


def bind(text: str) -> tuple[str, int]:
    """`127.0.0.1:8000` -> host and port.

    Raises:
        argparse.ArgumentTypeError: something else.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: write HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]") or "0.0.0.0", int(port)


def main(argv: list[str] | None = None) -> None:
    """Collect static files when they changed, then serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="croody.serve", description="Croody's pages and every stream held open.")
    parser.add_argument("--bind", type=bind, default=("127.0.0.1", 8000), metavar="HOST:PORT")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes; each follows the database once")
    parser.add_argument("--access-log", action="store_true", help="a line for each request, with the gateway's id of it")
    options = parser.parse_args(argv)
    os.environ.setdefault("CROODY_ROLE", "web")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "croody.settings")
    allow_many_files()
    django.setup()
    from croody.web.assets import collect_when_changed

    try:
        collect_when_changed()
    except OSError as error:
        sys.exit(f"static files: {error}: make the folder writable for this user, or run `croody collectstatic` when the image is built")
    logging.getLogger("uvicorn.access").disabled = True
    host, port = options.bind
    uvicorn.run(
        "croody.serve.access_log_asgi:application" if options.access_log else "croody.serve.asgi:application",
        http=Patient,
        host=host,
        port=port,
        workers=max(1, options.workers),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe about a visitor's address is CROODY_TRUSTED_PROXIES.
        proxy_headers=False,
        ws="none",
        # As gunicorn_settings.keepalive.
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_S,
    )


if __name__ == "__main__":
    main()
