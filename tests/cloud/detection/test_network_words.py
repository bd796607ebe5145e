"""What an agent saw on its network becomes an alarm with a sentence in both languages, whatever the event's detail holds."""

import pytest
from django.utils import translation

from croody.detection.incidents.network_words import NETWORK
from croody.telemetry.kinds import of_event
from croody_contract.flows.limits import RULES


def test_the_event_has_words_of_its_own_and_each_limit_a_phrase():
    assert of_event("network_intrusion") is NETWORK
    detail = {"offender": "10.0.0.9", "kind": "port_scan", "value": 40, "limit": 15, "seconds": 10}
    with translation.override("es"):
        assert NETWORK.sentence(detail, "es") == (
            "En su red, 10.0.0.9 busca puertos abiertos: 40 en 10 s (límite 15). Mira qué aparato es y desconéctalo."
        )
    with translation.override("en"):
        for rule in RULES:
            text = NETWORK.sentence({**detail, "kind": rule.code}, "en")
            assert text.startswith("In its network, 10.0.0.9 ")


@pytest.mark.parametrize("detail", [{}, {"kind": 3}, {"kind": "nonsense", "offender": None}, {"offender": "x" * 999}])
def test_a_detail_of_nonsense_still_has_words(detail):
    assert NETWORK.sentence(detail, "es").endswith("mira qué aparato es.")
