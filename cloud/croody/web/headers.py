"""Security headers on every answer. Knows no page: what a page may load is one policy for all of them."""

from typing import Final

from django.http import HttpRequest

from croody.web.answers import Steps, middleware

#: Everything comes from our own address, in files of its own; nothing inline, no frames, no plug-ins.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
#: None of what a browser could lend to a page; copying to the clipboard stays as it is, for the pages do that.
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "camera",
        "display-capture",
        "fullscreen",
        "geolocation",
        "gyroscope",
        "hid",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # What is the same for everybody, a file with its digest in its name, says how long it may be kept. All else depends on who asks.
    "Cache-Control": "no-store",
}
#: Kinds that never become a page with a script, which alone heeds these; a page is made of twenty of them.
_PARTS: Final = ("text/css", "text/javascript", "font/woff2", "image/svg+xml", "application/json")
_OF_PAGES: Final = ("Permissions-Policy", "Cross-Origin-Opener-Policy")
#: Of a part, opened as if it were a page: it may load nothing at all.
_POLICY_OF_PARTS: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"


@middleware
def security_headers(request: HttpRequest) -> Steps:
    """The outermost one: sets what the answer does not say itself."""
    response = yield
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.headers.get("Content-Type", "").startswith(_PARTS):
        for name in _OF_PAGES:
            del response.headers[name]
        response.headers["Content-Security-Policy"] = _POLICY_OF_PARTS
    return response
