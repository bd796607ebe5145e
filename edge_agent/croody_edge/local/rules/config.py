"""`rules.toml` -> rules, and what is wrong with those that are left out. Opens that file and the `token_file`s it names.

A rule that is wrong is left out and said, with its line; the others go on. So does the agent, whatever the file holds.
"""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from croody_contract.limits import MIB
from croody_edge.local.rules.rule import Rule, check_code
from croody_edge.sources.own import from_table
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: In the agent's folder.
FILE: Final = "rules.toml"
MOST_RULES: Final = 64


@dataclass(frozen=True, slots=True)
class Written:
    """The rules of a file that can be used, by name, and why others cannot."""

    rules: Mapping[str, Rule]
    problems: list[str]


def read(file: Path, *, hooks: bool) -> Written:
    """The rules of a file; none where there is no file.

    Args:
        file: `rules.toml`.
        hooks: whether programs may be started.
    """
    try:
        written = _opened(file)
        tables = _tables(file, written)
    except FileNotFoundError:
        return Written({}, [])
    except (OSError, ValueError, RecursionError) as error:
        return Written({}, [text("rules.unreadable", file=file, error=error)])
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    of_code: dict[str, str] = {}
    for name, table in tables.items():
        place = f"{file.name}{_line(written, name)} [rule.{name}]"
        try:
            if table.get("enabled", True) is not False:
                rule = of_table(place, name, table)
                # Of two rules with one word, the end of one would end the other's alarm.
                other = of_code.setdefault(code_of(name, rule), name)
                if other != name:
                    raise BadSetting(text("rules.code_twice", name=place, code=repr(code_of(name, rule)), other=other))
                rules[name] = rule
        except BadSetting as error:
            problems.append(str(error))
            continue
        if name in rules and rules[name].command:
            problems += _of_command(file, name, rules[name], hooks=hooks)
    return Written(rules, problems)


def of_table(place: str, name: str, table: Mapping[str, Any]) -> Rule:
    """One rule.

    Raises:
        BadSetting: with the place in the file, the value and the rule that it breaks.
    """
    rule = from_table(Rule, {key: value for key, value in table.items() if key != "enabled"}, place)
    try:
        check_code(code_of(name, rule))
    except ValueError as error:
        raise BadSetting(text("setting.rule", name=place, value=repr(name)[:60], rule=error)) from error
    return rule


def code_of(name: str, rule: Rule) -> str:
    """The word of its event."""
    return rule.code or name.replace("-", "_").lower()


def command_refused(rule: Rule, file: Path) -> str:
    """Why its program is not started; empty where it may be. Who else may write it, or the file that names it, decides what it does."""
    program = Path(rule.command[0])
    try:
        for path in (file, program, program.parent):
            mode = path.stat().st_mode
            if mode & stat.S_IWOTH and not (path.is_dir() and mode & stat.S_ISVTX):
                return text("rules.anyones", path=path)
        return "" if program.is_file() and os.access(program, os.X_OK) else text("rules.no_program", path=program)
    except OSError as error:
        return text("rules.no_program_error", path=program, error=error.strerror)


def _of_command(file: Path, name: str, rule: Rule, *, hooks: bool) -> list[str]:
    """The rule stays; only its program is not started."""
    why = command_refused(rule, file) if hooks else text("rules.hooks_off")
    return [text("rules.command_left", file=file.name, name=name, why=why)] if why else []


def _opened(file: Path) -> str:
    with file.open("rb") as opened:
        body = opened.read(MIB + 1)
    if len(body) > MIB:
        raise ValueError(text("sources.too_large"))
    # Some editors begin a text with a mark that says it is UTF-8.
    return body.decode("utf-8-sig")


def _tables(file: Path, written: str) -> dict[str, dict[str, Any]]:
    whole = tomllib.loads(written)
    tables = whole.pop("rule", {})
    if whole or not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ValueError(text("rules.no_tables", name=repr(next(iter(whole), "rule"))))
    if len(tables) > MOST_RULES:
        raise ValueError(text("rules.too_many", count=len(tables), most=MOST_RULES))
    return tables


def _line(written: str, name: str) -> str:
    """`:12`, where the table of that name begins; nothing where it is written in another way."""
    found = re.search(rf"^[ \t]*\[[ \t]*rule[ \t]*\.[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*\]", written, re.MULTILINE)
    return f":{written.count(chr(10), 0, found.end()) + 1}" if found else ""
