"""The packets of the minute around an incident that the sensor saw, for those who act on its alarm."""

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_GET

from croody.accounts.caller import actor_of, of_session
from croody.alarms import queries
from croody.alarms.services import check_may_act
from croody.audit.services import record
from croody.console.page_access import page
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.sensor.findings import capture_of
from croody.web.refusals import Denied


@require_GET
@page()
def fetch(request: HttpRequest, number: int) -> HttpResponseBase:
    """Of the alarm of this number."""
    caller = of_session(request)
    alarm = queries.known_to(caller).filter(pk=number, kind=INTRUSION.code, robot_id="").first()
    if alarm is None:
        raise Denied(404, f"there is no alarm {number} with a capture that you may see")
    check_may_act(caller, alarm)
    path = capture_of(str(alarm.detail.get("capture", "")))
    if path is None:
        raise Denied(404, f"alarm {number}: its capture is not kept any more, or not there yet: it is cut a minute after the first sign")
    record(actor_of(request, caller), "fetch", "capture", path.stem, organisation_id=alarm.organisation_id, now=timezone.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="application/vnd.tcpdump.pcap")
