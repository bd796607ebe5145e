"""What an agent noticed about a sensor becomes an alarm with a sentence in both languages, whatever the event's detail holds."""

import pytest
from django.utils import translation

from croody.detection.sensor_words import SENSORS
from croody.telemetry.kinds import of_event
from croody_contract.profiles import EVENTS

SAID = {
    "sensor_missing": ("Temp. motor: sin valor nuevo desde hace 30 s, y lo aprendido permite 20 s.", "Motor temp.: no new value for 30 s"),
    "sensor_stuck": ("Temp. motor: el mismo valor desde hace 30 s, y lo aprendido permite 20 s.", "Motor temp.: the same value for 30 s"),
    "sensor_out_of_range": ("Temp. motor: 30,0 °C, lejos de lo aprendido (límite 20,0 °C).", "Motor temp.: 30.0 °C, far from what"),
    "sensor_jump": ("Temp. motor: saltó 30,0 °C de una lectura a otra, y lo aprendido permite 20,0 °C.", "Motor temp.: jumped by 30.0 °C"),
    "sensor_spike": ("Temp. motor: 30 picos de más de 20,0 °C en 10 min.", "Motor temp.: 30 spikes of more than 20.0 °C"),
    "sensor_drift": ("Temp. motor: se aparta 30,0 °C de su media, y lo aprendido permite 20,0 °C.", "Motor temp.: 30.0 °C away"),
}


def test_each_rule_has_a_kind_of_its_own_and_each_kind_a_rule():
    assert {kind.code for kind in SENSORS} == set(EVENTS.values()) == set(SAID)
    assert all(of_event(kind.code) is kind for kind in SENSORS)


@pytest.mark.parametrize("kind", SENSORS, ids=lambda kind: kind.code)
def test_the_sentence_names_the_metric_its_value_and_what_was_learned(kind):
    detail = {"metric": "motor_temp_c", "value": 30.0, "limit": 20.0}
    with translation.override("es"):
        assert kind.sentence(detail, "es").replace("\u00a0", " ") == SAID[kind.code][0]
        assert kind.sentence({**detail, "beside": 2}, "es").endswith(" Y 2 sensores más.")
    with translation.override("en"):
        assert kind.sentence(detail, "en").replace("\u00a0", " ").startswith(SAID[kind.code][1])


@pytest.mark.parametrize(
    "detail", [{}, {"metric": None, "value": "x", "limit": True}, {"metric": "x" * 999, "value": 1e300, "limit": -1e300}]
)
@pytest.mark.parametrize("kind", SENSORS, ids=lambda kind: kind.code)
def test_a_detail_of_nonsense_still_has_words(kind, detail):
    assert kind.sentence(detail, "es").endswith(".")
