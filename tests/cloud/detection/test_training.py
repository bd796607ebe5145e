"""The training script, on a small made-up file in NSL-KDD's format: reproducible, within its budget, and loadable."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from croody.detection.nslkdd.features import FEATURES
from croody.detection.nslkdd.model import load
from croody.detection.nslkdd.rows import complete, decode

SCRIPT = Path(__file__).parents[3] / "cloud" / "training" / "train_nslkdd.py"
pytestmark = pytest.mark.slow


def line(random: np.random.Generator, attack: str) -> str:
    """One connection: benign web traffic, or one of four attacks that differ from it each in its own way."""
    values: dict[str, str] = {feature.name: "0" if feature.kind != "rate" else "0.00" for feature in FEATURES}
    values |= {"protocol_type": "tcp", "service": "http", "flag": "SF", "logged_in": "1", "same_srv_rate": "1.00"}
    values |= {
        "src_bytes": str(random.integers(100, 1000)),
        "dst_bytes": str(random.integers(500, 9000)),
        "count": str(random.integers(1, 20)),
    }
    values["dst_host_count"] = str(random.integers(1, 255))
    if attack == "neptune":
        values |= {
            "flag": "S0",
            "src_bytes": "0",
            "dst_bytes": "0",
            "logged_in": "0",
            "serror_rate": "1.00",
            "count": str(random.integers(100, 500)),
        }
    elif attack == "ipsweep":
        values |= {
            "protocol_type": "icmp",
            "service": "eco_i",
            "src_bytes": str(random.integers(6, 10)),
            "dst_bytes": "0",
            "logged_in": "0",
        }
    elif attack == "guess_passwd":
        values |= {"service": "telnet", "flag": "RSTO", "num_failed_logins": str(random.integers(1, 5)), "logged_in": "0"}
    elif attack == "buffer_overflow":
        values |= {"service": "telnet", "root_shell": "1", "num_shells": "1", "duration": str(random.integers(50, 300))}
    return ",".join([*values.values(), attack, "20"])


def write(path: Path, seed: int, benign: int = 1500) -> Path:
    random = np.random.default_rng(seed)
    counts = {"normal": benign, "neptune": 400, "ipsweep": 200, "guess_passwd": 100, "buffer_overflow": 60}
    lines = [line(random, attack) for attack, count in counts.items() for _ in range(count)]
    lines += lines[:50]
    random.shuffle(lines)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def train(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--out", str(folder), "--epochs", "5", *arguments]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    data, test = write(folder / "train.txt", seed=1), write(folder / "test.txt", seed=2)
    done = train(folder / "model", "--train", str(data), "--test", str(test), "--seeds", "2")
    assert done.returncode == 0, done.stderr
    return folder


def test_what_was_trained_loads_and_scores(trained: Path):
    model = load(trained / "model")
    rows = complete(
        decode(b'{"rows": [{"flag": "S0", "src_bytes": 0, "dst_bytes": 0, "logged_in": 0, "serror_rate": 1.0, "count": 300}, {}]}'),
        model.imputed,
        model.vocabulary,
    )
    from croody.detection.nslkdd.predict import answer

    found = answer(model, rows)
    assert found.predictions == [1, 0]
    assert found.results[0].kind == "dos"


def test_the_card_says_what_came_of_it(trained: Path):
    card = json.loads((trained / "model" / "card.json").read_text())
    assert card["data"]["rows_read"] == 2310
    assert card["data"]["rows_used"] < 2310, "what came twice counts once"
    assert sum(card["split"].values()) == card["data"]["rows_used"]
    figures = card["metrics"]["all_seeds"]["KDDTest+"]["budgets"]["0.01"]
    assert figures["recall"]["mean"] > 0.95
    assert figures["false_positive_rate"]["mean"] < 0.05
    assert set(card["metrics"]["shipped"]["left_out"]) == {"dos", "probe", "r2l", "u2r"}


def test_the_same_seed_and_data_give_the_same_bytes(trained: Path):
    done = train(trained / "again", "--train", str(trained / "train.txt"), "--seeds", "1")
    assert done.returncode == 0, done.stderr
    for name in ("known.txt", "kind.txt", "numbers.npz"):
        assert (trained / "again" / name).read_bytes() == (trained / "model" / name).read_bytes(), name


def test_a_line_that_is_not_of_the_format_is_named(tmp_path: Path):
    data = write(tmp_path / "train.txt", seed=1, benign=10)
    with data.open("a") as file:
        file.write("0,tcp,http\n")
    number = len(data.read_text().splitlines())
    done = train(tmp_path / "model", "--train", str(data))
    assert done.returncode != 0
    assert f"train.txt:{number}: expected 41 features" in done.stderr


def test_the_documentation_says_what_the_card_says():
    """The figures of the model that ships, as the page on detection shows them."""
    from croody.detection.nslkdd.model import SHIPPED

    root = SCRIPT.parents[2]
    done = subprocess.run(
        [sys.executable, str(SCRIPT.with_name("table.py")), str(SHIPPED / "card.json")],
        env=dict(os.environ), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    page = (root / "docs" / "reference" / "detection.md").read_text(encoding="utf-8")
    for table in done.stdout.strip().split("\n\n"):
        assert table in page
