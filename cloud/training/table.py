"""The figures of a card as the tables of docs/reference/detection.md. A test fails when the page says something else.

python cloud/training/table.py cloud/croody/detection/artefacts/nslkdd/card.json
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from croody.detection.nslkdd.features import CLASSES

SETS: Final = ("held_out", "KDDTest+", "KDDTest-21")
_COLUMNS: Final = ("accuracy", "precision", "recall", "false_positive_rate")


def tables(card: dict[str, Any]) -> str:
    """Three tables in Markdown: whole figures, recall a class, and what happens to a class left out of training."""
    figures = card["metrics"]["all_seeds"]
    budgets = [(name, budget) for name in SETS if name in figures for budget in figures[name]["budgets"]]
    whole = [
        [name, _percent(budget), *(_pair(_at(figures, name, budget)[column]) for column in _COLUMNS)]
        + [_pair(_at(figures, name, budget)["precision_at_prevalence"][share]) for share in ("0.01", "0.001")]
        for name, budget in budgets
    ]
    by_class = [[name, _percent(budget), *_recalls(_at(figures, name, budget))] for name, budget in budgets]
    left = [
        [kind, *(_pair(figures["left_out"][kind][opinion]) for opinion in ("lightgbm", "autoencoder", "fisher", "min"))] for kind in CLASSES
    ]
    return "\n\n".join(
        (
            _table(
                ["rows", "budget", "accuracy", "precision", "recall", "real false positives", "precision at 1 %", "at 0.1 %"],
                whole,
            ),
            _table(["rows", "budget", *CLASSES, "names not in training"], by_class),
            _table(["left out", "LightGBM", "autoencoder", "both (Fisher, ships)", "both (smaller p)"], left),
        )
    )


def _recalls(at: dict[str, Any]) -> list[str]:
    return [*(_pair(at["recall_of_class"][kind]) for kind in CLASSES), _pair(at.get("recall_of_attack_names_not_in_training"))]


def _at(figures: dict[str, Any], name: str, budget: str) -> dict[str, Any]:
    found: dict[str, Any] = figures[name]["budgets"][budget]
    return found


def _pair(value: dict[str, float] | None) -> str:
    return f"{value['mean']:.3f} ({value['deviation']:.3f})" if value else "-"


def _percent(budget: str) -> str:
    return f"{float(budget) * 100:g} %"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    print(tables(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
