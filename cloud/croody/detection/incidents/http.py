"""Where the bridge hands over what the broker noticed. Not part of the public documentation."""

from datetime import UTC, datetime
from typing import Final

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from croody.detection.incidents import signs
from croody.telemetry.http.bridge import bridge_alone
from croody.web.body import read_body
from croody_contract.messages import Refused
from croody_contract.security import decode_reports

router = Router()
#: `MOST_REPORTS` of `MOST` things of about 400 bytes, and some room.
MAX_BYTES: Final = 4 * 1024 * 1024


@router.post("/bridge/security", auth=bridge_alone, include_in_schema=False)
def security(request: HttpRequest) -> HttpResponse:
    """Reports of the broker."""
    try:
        reports = decode_reports(read_body(request, MAX_BYTES))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refused("bad_value", f"reports: {error}") from error
    signs.write("broker", reports, datetime.now(UTC))
    return HttpResponse(status=204)
