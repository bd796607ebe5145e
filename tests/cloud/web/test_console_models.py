"""Models that a team trained, on the page of detection: what was measured, beside the rules by day, and who may say how one is used."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from croody.audit.actor import SYSTEM
from croody.audit.models import Entry
from croody.detection.models import DeviceWindow, SiteModel
from croody.detection.site_models import figures, registry

pytestmark = pytest.mark.django_db(databases="__all__")
HERE = "/es/console/detection/"
CARD = {
    "version": 1,
    "features": ["connects/10"],
    "threshold": 1.0,
    "edges": [0.0],
    "reference": [300, 300],
    "held_out": {
        "attacks": {"both": 40, "only_rules": 5, "only_model": 3, "neither": 2},
        "ordinary": {"both": 0, "only_rules": 1, "only_model": 2, "neither": 597},
    },
    "adds": False,
}


@pytest.fixture
def model(people: SimpleNamespace, settings: Any, tmp_path: Path) -> SiteModel:
    settings.ENV = dataclasses.replace(settings.ENV, state_dir=tmp_path, secret_key="a secret of this site, long enough")
    return registry.keep(people.organisation, CARD, "tree", actor=SYSTEM, now=datetime.now(UTC))


def client(person: Any) -> Client:
    made = Client()
    made.force_login(person)
    return made


def text(answer: Any) -> str:
    return str(answer.content.decode())


def judged(model: SiteModel, count: int, *, score: float, suspect: bool = False) -> None:
    now = datetime.now(UTC)
    common = {"robot_id": "rover-1", "at": now, "judged_at": now, "screen": "limits-1", "device": "10.0.0.7", "model": model.pk}
    DeviceWindow.objects.bulk_create(
        DeviceWindow(**common, stream=f"{score} {suspect}", seq=n, suspect=suspect, sampled=not suspect, score=score) for n in range(count)
    )


def test_without_a_model_the_page_says_how_one_is_made(people: SimpleNamespace):
    assert "croody ids train" in text(client(people.alice).get(HERE))


def test_a_model_is_put_into_the_shadow_seen_beside_the_rules_promoted_and_put_back(people: SimpleNamespace, model: SiteModel):
    alice, where = client(people.alice), f"{HERE}models/{model.pk}/"
    page = text(alice.get(HERE))
    assert "las reglas notan 45 y solo él otras 3; de 600 normales sospecha él solo de 2." in page
    assert "no suma nada a las reglas" in page
    assert "Promover" not in page
    answer = alice.post(where, {"state": "shadow"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HERE}#site-models-head")
    assert "juzgó 0 ventanas en la sombra y hacen falta 200" in text(alice.post(where, {"state": "promoted"}, follow=True))
    for count, score, suspect in ((150, -1.0, False), (145, 0.5, False), (5, 2.0, False), (3, 2.0, True)):
        judged(model, count, score=score, suspect=suspect)
    page = text(alice.get(HERE))
    # Both, only the rules, only the model, none.
    assert [cell.split("<")[0] for cell in page.split('<td role="cell" class="num">')[1:5]] == ["3", "0", "5", "295"]
    assert "Deriva de 7 días (PSI): 0,0" in page
    alice.post(where, {"state": "promoted"})
    page = text(alice.get(HERE))
    assert "promovido: lo que sospecha avisa" in page
    assert "Incidentes que solo dice él en 24 h: 0; con más de 12" in page
    alice.post(where, {"state": "shadow"})
    model.refresh_from_db()
    assert (model.state, model.state_by) == ("shadow", "alice")
    written = Entry.objects.filter(thing="model").order_by("pk").values_list("verb", flat=True)
    assert list(written) == ["keep", "shadow", "promote", "shadow"]


def test_who_merely_looks_sees_it_and_may_not_and_others_know_of_none(people: SimpleNamespace, model: SiteModel):
    where = f"{HERE}models/{model.pk}/"
    page = text(client(people.bob).get(HERE))
    assert f"Modelo {model.pk}" in page
    assert "Poner a la sombra" not in page
    assert client(people.bob).post(where, {"state": "shadow"}).status_code == 403
    assert client(people.carlos).post(where, {"state": "shadow"}).status_code == 404
    assert f'id="model-{model.pk}"' not in text(client(people.carlos).get(HERE))


def test_why_it_was_put_back_or_is_refused_is_said(people: SimpleNamespace, model: SiteModel):
    alice, now = client(people.alice), datetime.now(UTC)
    told = {"why": "rate", "value": 13, "limit": figures.MOST_ALONE}
    registry.put_by_command(model, "shadow", actor=SYSTEM, now=now - timedelta(hours=1), reason=told)
    assert "Volvió solo a la sombra: 13 incidentes que solo decía él en 24 h, límite 12." in text(alice.get(HERE))
    assert "Volvió solo a la sombra: sus puntajes" not in text(alice.get(HERE))
    SiteModel.objects.update(text="tree of another site")
    page = text(alice.get(HERE))
    assert "No se usa, y las reglas siguen:" in page
    assert "dañado" in page
    assert ">Promover<" not in page
