"""What a robot's own word of an event says: its numbers, and a limit beside what it limits."""

from django.utils import translation

from croody.alarms.kinds import check_code, is_declared
from croody.telemetry.kinds import ROBOTS_WORDS, of_event


def test_the_numbers_of_an_event_stand_in_its_sentence():
    kind = of_event("motor_overheated")
    detail = {"motor_temp_c": 80.4, "limit_c": 80, "note": "left", "stream": "s", "seq": 4, "robots": 1}
    with translation.override("es"):
        assert kind.sentence(detail, "es") == "El robot avisa: motor recalentado (Temp. motor 80,4\xa0°C, límite 80\xa0°C)."
    with translation.override("en"):
        assert kind.sentence(detail, "en") == "The robot reports: motor overheated (Motor temp. 80.4\xa0°C, limit 80\xa0°C)."


def test_a_word_that_nobody_knows_is_shown_as_the_robot_wrote_it():
    with translation.override("es"):
        assert of_event("motor_overheats").sentence({}, "es") == "El robot avisa: motor_overheats."
        assert of_event("wheel_worn").sentence({}, "es") == "El robot avisa: rueda gastada."
        together = of_event("battery_low").together
        assert together is not None
        assert together.sentence(3, "es") == "3 robots avisan a la vez: batería baja."
    with translation.override("en"):
        assert of_event("wheel_worn").sentence({}, "en") == "The robot reports: wheel worn."


def test_every_word_that_is_known_is_one_that_a_robot_may_say():
    for code in ROBOTS_WORDS:
        assert not is_declared(code)
        check_code(code)
        assert of_event(code).code == code


def test_an_event_of_any_detail_has_a_sentence():
    kind = of_event("odd")
    with translation.override("es"):
        for detail in ({}, {"a": True}, {"b": "text"}, {"c": None}, {"stream": "s", "seq": 1}):
            assert kind.sentence(detail, "es") == "El robot avisa: odd."
        assert kind.sentence({"huge": 1e308}, "es").startswith("El robot avisa: odd (Huge 1,0e308")
