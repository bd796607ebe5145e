"""Which sources an agent runs: `sources.toml`, or `CROODY_SOURCE` and its variables -> `Configured`. Opens that file and `*_file`s.

In the file a source that cannot be used is left out and said; the others run. Without it the one source has to be right.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from croody_contract.limits import MIB
from croody_edge.settings import Settings
from croody_edge.sources import Context, Kind, catches_up, is_partial, metrics_of
from croody_edge.sources.finding import find
from croody_edge.sources.own import from_environment, from_table
from croody_edge.sources.rack import Configured
from croody_edge.sources.shape import MetricShape, Report, described
from croody_edge.texts import text
from croody_edge.variables import BadSetting

#: In the agent's folder.
FILE: Final = "sources.toml"
MOST_SOURCES: Final = 32
_MOST_METRICS: Final = 1000
#: What a table has beside the settings of its kind.
_OURS: Final = ("kind", "enabled", "report", "metrics")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The sources that run, and why others do not."""

    sources: list[Configured]
    problems: list[str]


def file_of(settings: Settings) -> Path | None:
    """The file that says which sources run; None where it is the variables."""
    beside = settings.edge_dir / FILE
    return settings.sources_file or (beside if beside.exists() else None)


def choose(settings: Settings, environ: Mapping[str, str]) -> Chosen:
    """The sources of this agent.

    Raises:
        BadSetting: the file cannot be read, or nothing in it can be used; without the file: the one source cannot.
    """
    file = file_of(settings)
    if file is None:
        return Chosen([_opened(settings, environ)], [])
    tables = read(file)
    found: list[Configured] = []
    problems: list[str] = []
    for name, table in tables.items():
        try:
            if table.get("enabled", True) is not False:
                found.append(of_table(settings, file, name, table))
        except BadSetting as error:
            problems.append(str(error))
    if not found:
        raise BadSetting("; ".join(problems) or text("sources.none", file=file))
    return Chosen(found, problems)


def read(file: Path) -> dict[str, dict[str, Any]]:
    """The tables of a file, by the names of their sources.

    Raises:
        BadSetting: it cannot be read, or is no such file.
    """
    try:
        with file.open("rb") as opened:
            body = opened.read(MIB + 1)
        if len(body) > MIB:
            raise ValueError(text("sources.too_large"))
        # Some editors begin a text with a mark that says it is UTF-8.
        whole = tomllib.loads(body.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting(text("sources.unreadable", file=file, error=error)) from error
    tables = whole.pop("source", None)
    if whole or not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise BadSetting(text("sources.no_tables", file=file, name=repr(next(iter(whole), "source"))))
    if len(tables) > MOST_SOURCES:
        raise BadSetting(text("sources.too_many", file=file, count=len(tables), most=MOST_SOURCES))
    return tables


def of_table(settings: Settings, file: Path, name: str, table: Mapping[str, Any]) -> Configured:
    """One source of the file, not opened.

    Raises:
        BadSetting: with the place in the file, the value and the rule.
    """
    place = f"{file.name} [source.{name}]"
    if not 1 <= len(name) <= 32 or not name.replace("-", "_").isidentifier():
        raise BadSetting(text("sources.name", file=file, name=repr(name)))
    kind_name = table.get("kind", name)
    kind = find(str(kind_name), f"{place} kind")
    own = {"interval_s": settings.interval_s} | {key: value for key, value in table.items() if key not in _OURS}
    made = from_table(kind.Settings, own, place)
    report = from_table(Report, _table(table, "report", place), f"{place[:-1]}.report]")
    tables = _table(table, "metrics", place)
    if len(tables) > _MOST_METRICS:
        raise BadSetting(text("setting.rule", name=f"{place} metrics", value=len(tables), rule=text("sources.most", most=_MOST_METRICS)))
    of = f"{place[:-1]}.metrics"
    metrics = {metric: from_table(MetricShape, _table(tables, metric, f"{of}]"), f"{of}.{metric}]") for metric in tables}
    return configured(kind, made, Context(settings.robot_id, settings.edge_dir, name), report, metrics)


def configured(kind: Kind, own: Any, context: Context, report: Report, metrics: dict[str, MetricShape]) -> Configured:
    """A source that opens itself when it is run; a kind may say of its metrics what its settings make of them."""
    infos = metrics_of(kind) if not callable(getattr(kind, "describe", None)) else tuple(kind.describe(own))  # type: ignore[attr-defined]
    return Configured(
        name=context.name,
        opens=lambda: kind(own, context),
        report=report,
        metrics=metrics,
        infos=tuple(described(infos, report, metrics)),
        partial=is_partial(kind),
        catches_up=catches_up(kind),
    )


def environment_source(settings: Settings, environ: Mapping[str, str]) -> Configured:
    """The source that `settings.source` names, with settings from variables; not opened.

    Raises:
        BadSetting: no such kind, or a variable breaks a rule.
    """
    kind = find(settings.source, "CROODY_SOURCE")
    prefix = "CROODY_" + settings.source.upper().replace("-", "_").replace(".", "_")
    own = from_environment(kind.Settings, environ, prefix, {"interval_s": settings.interval_s})
    context = Context(settings.robot_id, settings.edge_dir, settings.source)
    return configured(kind, own, context, Report(), {})


def _opened(settings: Settings, environ: Mapping[str, str]) -> Configured:
    made = environment_source(settings, environ)
    try:
        once = [made.opens()]  # Opened here, so that a wrong setting ends the agent at once; what is away is tried again.
    except OSError:
        return made
    return replace(made, opens=lambda: once.pop() if once else made.opens())


def _table(of: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    value = of.get(name, {})
    if not isinstance(value, dict):
        raise BadSetting(text("setting.rule", name=f"{place} {name}", value=repr(value)[:60], rule=text("rule.table")))
    return value
