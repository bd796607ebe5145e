"""The command `croody-edge check-rules`: what is wrong with the rules, and when they would have acted. Knows the terminal."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from croody_contract.printable import printable
from croody_edge.local.rules.config import Written, read
from croody_edge.local.rules.keeper import Act
from croody_edge.local.rules.played import Played, play
from croody_edge.local.rules.rule import Rule
from croody_edge.texts import text


def check_rules(file: Path, recording: Path | None, *, hooks: bool, as_json: bool) -> int:
    """Print it. Returns 1 when a rule cannot be used as it is written, or there is none.

    Raises:
        BadSetting: the recording cannot be read.
    """
    written = read(file, hooks=hooks)
    problems = written.problems or ([] if written.rules else [text("rules.none", file=file)])
    for problem in problems:
        print(f"croody-edge: {printable(problem)}", file=sys.stderr)
    if recording is not None and written.rules:
        _play(written.rules, recording, as_json=as_json)
    elif not as_json and written.rules:
        print(_right(file, written))
    return 1 if problems else 0


def _right(file: Path, written: Written) -> str:
    count = len(written.rules)
    return text("rules.one_is_right", file=file) if count == 1 else text("rules.are_right", file=file, count=count)


def _play(rules: Mapping[str, Rule], recording: Path, *, as_json: bool) -> None:
    played = Played()
    for act in play(rules, recording, played):
        print(json.dumps(_as_json(act)) if as_json else _as_line(act), flush=True)
    if as_json:
        return
    print(text("rules.played", rows=played.rows, seconds=round(played.last_s - played.first_s)))
    for name, rule in rules.items():
        unseen = rule.metric not in played.seen and rule.absent_s is None
        said = text("rules.unseen", name=name, metric=rule.metric) if unseen else ""
        print(printable(said or text("rules.times", name=name, times=played.acts.get(name, 0))))


def _as_json(act: Act) -> dict[str, Any]:
    return {"at_s": act.at_s, "rule": act.name, "state": act.turn, "metric": act.rule.metric, "value": act.value, "limit": act.rule.limit}


def _as_line(act: Act) -> str:
    key = "rules.began" if act.turn == "begin" else "rules.ended"
    moment = datetime.fromtimestamp(act.at_s, UTC).isoformat(timespec="seconds")
    return printable(f"{moment} {text(key, name=act.name, metric=act.rule.metric, value=act.value, limit=act.rule.limit)}")
