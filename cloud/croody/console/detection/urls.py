"""Its addresses."""

from django.urls import path

from croody.console.detection import captures, incident_acts, model_acts, views

urlpatterns = [
    path("detection/", views.index, name="console_detection"),
    path("detection/<int:number>/", views.say, name="console_detection_say"),
    path("detection/incidents/<int:number>/verdict/", incident_acts.verdict, name="console_incident_verdict"),
    path("detection/captures/<int:number>/", captures.fetch, name="console_capture"),
    path("detection/exceptions/<int:number>/end/", incident_acts.end_exception, name="console_incident_exception_end"),
    path("detection/models/<int:number>/", model_acts.put, name="console_model_put"),
    path("detection/calibrations/<int:number>/confirm/", incident_acts.confirm, name="console_calibration_confirm"),
]
