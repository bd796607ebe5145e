"""What a robot's own word of an event says: its numbers, and a limit beside what it limits."""

from django.utils import translation

from croody.telemetry.kinds import of_event


def test_the_numbers_of_an_event_stand_in_its_sentence():
    kind = of_event("motor_overheated")
    detail = {"motor_temp_c": 80.4, "limit_c": 80, "note": "left", "stream": "s", "seq": 4, "robots": 1}
    with translation.override("es"):
        assert kind.sentence(detail, "es") == "El robot avisa: motor_overheated (Temp. motor 80,4\xa0°C, límite 80\xa0°C)."
    with translation.override("en"):
        assert kind.sentence(detail, "en") == "The robot reports: motor_overheated (Motor temp. 80.4\xa0°C, limit 80\xa0°C)."


def test_an_event_of_any_detail_has_a_sentence():
    kind = of_event("odd")
    with translation.override("es"):
        for detail in ({}, {"a": True}, {"b": "text"}, {"c": None}, {"stream": "s", "seq": 1}):
            assert kind.sentence(detail, "es") == "El robot avisa: odd."
        assert kind.sentence({"huge": 1e308}, "es").startswith("El robot avisa: odd (Huge 1,0e308")
