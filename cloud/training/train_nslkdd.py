"""Trains the model behind the IDS API on KDDTrain+ and writes it with its card; evaluates on the test files at most once.

    python cloud/training/train_nslkdd.py --train KDDTrain+.txt --out cloud/croody/detection/artefacts/nslkdd
        [--test KDDTest+.txt --test21 KDDTest-21.txt] [--seeds 5]

The data is not part of this repository. Without test files nothing but training data is read: choose with that form.
The detector of the first seed is the one that is written; the others say how much is luck.
"""

import argparse
import os
from pathlib import Path
from typing import Any

# One thread: sums in another order are other sums, and the artefact should be the same everywhere it can.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import artefact
import fit
import numpy as np
from assess import assess, mean_and_deviation
from nslkdd import Table, read, usual_values, vocabulary

from croody.detection.nslkdd.evidence import fuse
from croody.detection.nslkdd.features import FEATURES, WORDS

CITATION = "NSL-KDD: Tavallaee, Bagheri, Lu, Ghorbani, 2009, University of New Brunswick; not distributed with Croody"
COMMAND = (
    "python cloud/training/train_nslkdd.py --train KDDTrain+.txt --test KDDTest+.txt --test21 KDDTest-21.txt "
    "--seeds {seeds} --version {version} --out cloud/croody/detection/artefacts/nslkdd"
)
PROTOCOL = (
    "Feature rows deduplicated (contradicting labels dropped); benign parted 60/15/15/10 (fit, p-values, threshold, check), "
    "attacks 80/10/10 by name; LightGBM on benign and attacks, an autoencoder on benign alone; each score a p-value against benign "
    "rows neither was fitted on; Fisher's sum; threshold at a false-positive budget of 1 % on further benign rows; configuration "
    "chosen by leaving one attack class or name out of training; the test files read once, after all of that was fixed."
)


def main() -> None:
    """Train, assess, write."""
    arguments = _arguments()
    train = read(arguments.train, deduplicate=True)
    words = vocabulary(train)
    sizes = tuple(len(words[name]) for name in WORDS)
    matrix = train.matrix(words)
    tests = {name: read(path, deduplicate=False) for name, path in (("KDDTest+", arguments.test), ("KDDTest-21", arguments.test21)) if path}
    runs: list[dict[str, Any]] = []
    for seed in range(1, arguments.seeds + 1):
        detector, parts, left_out = fit.fit_detector(train, matrix, sizes, seed, arguments.epochs)
        evidence = fuse(*detector.opinions(matrix))
        thresholds = {str(budget): float(np.quantile(evidence[parts.benign_threshold], 1 - budget)) for budget in fit.BUDGETS}
        trained_on = set(train.attacks[train.is_attack])
        checked = np.concatenate([parts.benign_check, parts.attack_check])
        figures: dict[str, Any] = {
            "left_out": {item.left: item.recall for item in left_out},
            "held_out": assess(detector, _part(train, checked), matrix[checked], thresholds, trained_on),
        }
        for name, table in tests.items():
            figures[name] = assess(detector, table, table.matrix(words), thresholds, trained_on)
        runs.append(figures)
        _print(seed, figures)
        if seed == 1:
            first, first_parts, first_thresholds = detector, parts, thresholds
    imputed = usual_values(train, first_parts.benign_fit)
    card = {
        "name": "croody-nslkdd",
        "version": arguments.version,
        "data": {"train": "KDDTrain+", "sha256": train.sha256, "rows_read": train.read, "rows_used": len(train.rows), "citation": CITATION}
        | {name: {"sha256": table.sha256, "rows": len(table.rows)} for name, table in tests.items()},
        "protocol": PROTOCOL,
        "split": {name: len(getattr(first_parts, name)) for name in first_parts.__slots__},
        "seeds": list(range(1, arguments.seeds + 1)),
        "shipped_seed": 1,
        "parameters": {
            "lightgbm": fit.LIGHTGBM,
            "trees": fit.TREES,
            "kind_trees": fit.KIND_TREES,
            "hidden": fit.HIDDEN,
            "epochs": arguments.epochs,
            "clip": fit.CLIP,
        },
        "threshold": {"budget": fit.BUDGET, "evidence_at_budget": first_thresholds},
        "features": [
            {"name": f.name, "kind": f.kind, "unit": f.unit, "rule": f.rule, "about": f.about, "imputed": imputed[f.name]} for f in FEATURES
        ],
        "vocabulary": words,
        "metrics": {"shipped": runs[0], "all_seeds": mean_and_deviation(runs)},
        "command": COMMAND.format(seeds=arguments.seeds, version=arguments.version),
        "limits": [
            "Recorded in 1998 in a simulated network: the figures say how the method behaves, not how safe your network is.",
            "For callers who bring NSL-KDD features. Flows of your own network need a model of their own.",
            "Unseen attacks of class r2l look like ordinary logins: most of them are missed.",
        ],
    }
    artefact.write(arguments.out, first, card)
    print(f"wrote {arguments.out}")


def _part(table: Table, chosen: fit.Rows) -> Table:
    return Table([table.rows[index] for index in chosen], table.attacks[chosen], table.classes[chosen], table.sha256, len(chosen))


def _print(seed: int, figures: dict[str, Any]) -> None:
    for left, recall in figures["left_out"].items():
        print(f"seed {seed}  without {left:5s} recall " + "  ".join(f"{name} {value:.3f}" for name, value in recall.items()), flush=True)
    for name, result in figures.items():
        for budget, at in result.get("budgets", {}).items():
            keys = ("accuracy", "precision", "recall", "false_positive_rate")
            print(f"seed {seed}  {name:10s} budget {budget:6s}" + "".join(f"  {key} {at[key]:.4f}" for key in keys), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="KDDTrain+.txt")
    parser.add_argument("--test", type=Path, help="KDDTest+.txt: read once, when everything is fixed")
    parser.add_argument("--test21", type=Path, help="KDDTest-21.txt")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=fit.EPOCHS)
    parser.add_argument("--version", default="1")
    parser.add_argument("--out", type=Path, required=True, help="folder of the artefact")
    return parser.parse_args()


if __name__ == "__main__":
    main()
