"""A model that is missing, damaged or cannot run is a sentence with a remedy, and the process goes on."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lightgbm
import pytest
from django.test import Client

from croody.detection.nslkdd.model import FILES, RETRY_S, SHIPPED, Holder, Model, Unavailable, load
from tools.stack import source_path

BODY = '{"rows": [{"src_bytes": 10}]}'


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit_in_any_file_is_noticed(copied_model: Path, name: str):
    flip(copied_model / name)
    with pytest.raises(Unavailable, match=rf"{name}: damaged.*restore the folder"):
        load(copied_model)


@pytest.mark.parametrize("name", [*FILES, "card.json"])
def test_a_missing_file_is_named(copied_model: Path, name: str):
    (copied_model / name).unlink()
    with pytest.raises(Unavailable, match=rf"{name}: cannot be read"):
        load(copied_model)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}', '{"files": {}}'])
def test_a_card_that_is_no_card_is_refused(copied_model: Path, text: str):
    (copied_model / "card.json").write_text(text)
    with pytest.raises(Unavailable):
        load(copied_model)


@pytest.mark.parametrize("key", ["features", "vocabulary", "calibration", "threshold"])
def test_a_card_that_lacks_a_part_is_refused(copied_model: Path, key: str):
    card = json.loads((copied_model / "card.json").read_text())
    del card[key]
    (copied_model / "card.json").write_text(json.dumps(card))
    with pytest.raises(Unavailable, match="do not fit together"):
        load(copied_model)


def test_a_model_for_other_features_is_refused(copied_model: Path):
    card = json.loads((copied_model / "card.json").read_text())
    card["features"].reverse()
    (copied_model / "card.json").write_text(json.dumps(card))
    with pytest.raises(Unavailable, match="other features"):
        load(copied_model)


def test_a_text_that_lightgbm_cannot_read_is_refused_even_with_the_right_hash(copied_model: Path):
    from hashlib import sha256

    (copied_model / "kind.txt").write_text("tree\nversion=v4\nnonsense\n")
    card = json.loads((copied_model / "card.json").read_text())
    card["files"]["kind.txt"] = sha256((copied_model / "kind.txt").read_bytes()).hexdigest()
    (copied_model / "card.json").write_text(json.dumps(card))
    with pytest.raises(Unavailable, match="LightGBM model cannot be read"):
        load(copied_model)


def test_a_path_to_the_card_is_as_good_as_its_folder():
    assert load(SHIPPED / "card.json").path == SHIPPED


def test_the_model_that_ships_is_small():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1024 * 1024


def test_with_a_damaged_model_predictions_are_503_and_the_rest_answers(make_client: Callable[..., Client], copied_model: Path):
    flip(copied_model / "known.txt")
    client = make_client(folder=copied_model, demo=True)
    response = client.post("/api/ids/predict", BODY, content_type="application/json")
    assert response.status_code == 503
    assert "restore the folder" in response.json()["detail"]
    assert client.get("/api/ids/healthz").status_code == 200
    model = client.get("/api/ids/model")
    assert model.status_code == 200
    assert (model.json()["available"], model.json()["path"]) == (False, None)
    assert "damaged" in model.json()["why"]


def test_a_repaired_model_is_taken_up_without_a_restart_but_not_tried_at_every_request(copied_model: Path):
    clock, tries = [0.0], []

    def counted(folder: Path) -> Model:
        tries.append(folder)
        return load(folder)

    holder = Holder(copied_model, load=counted, clock=lambda: clock[0])
    good = (copied_model / "known.txt").read_bytes()
    flip(copied_model / "known.txt")
    for _ in range(3):
        with pytest.raises(Unavailable):
            holder.get()
    assert len(tries) == 1
    (copied_model / "known.txt").write_bytes(good)
    clock[0] = RETRY_S
    assert holder.get() is holder.get()
    assert len(tries) == 2


def test_without_libgomp_the_sentence_names_the_package_to_install(tmp_path: Path):
    """LightGBM's library is copied and made to ask for a library that does not exist, as on a machine without libgomp1."""
    package = shutil.copytree(Path(lightgbm.__file__).parent, tmp_path / "lightgbm")
    library = next(package.rglob("lib_lightgbm.so"))
    data = library.read_bytes()
    assert b"libgomp.so.1" in data
    library.write_bytes(data.replace(b"libgomp.so.1", b"libgOOp.so.1"))
    code = "from croody.detection.nslkdd.model import *\ntry:\n    load(SHIPPED)\nexcept Unavailable as error:\n    print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "apt-get install libgomp1" in done.stdout
    assert "libgOOp.so.1" in done.stdout


@pytest.mark.slow
def test_the_real_process_answers_health_while_its_model_is_damaged(copied_model: Path, tmp_path: Path, free_port: int):
    import httpx

    flip(copied_model / "numbers.npz")
    environment = {
        **os.environ,
        "PYTHONPATH": source_path(),
        "CROODY_ROLE": "ids",
        "CROODY_DEMO": "1",
        "MODEL_PATH": str(copied_model),
        "CROODY_STATE_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'croody.db'}",
    }
    log = (tmp_path / "log").open("wb")
    command = [sys.executable, "-m", "gunicorn", "croody.serve.wsgi:application", "-k", "gthread", "--bind", f"127.0.0.1:{free_port}"]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{free_port}", timeout=10) as client:
            deadline = time.monotonic() + 30
            while True:
                try:
                    assert client.get("/healthz").json() == {"status": "ok"}
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                    time.sleep(0.2)
            assert client.post("/api/ids/predict", content=BODY).status_code == 503
            assert "damaged" in client.get("/api/ids/model").json()["why"]
            assert client.get("/api/ids/healthz").status_code == 200
    finally:
        process.terminate()
        process.wait(10)
        log.close()
