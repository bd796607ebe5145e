"""The page of one robot in one language: what its templates need, and the picture that its stream compares. Asks no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from croody.console.robot.facts import Now, Slow
from croody.console.robot.words import answer, cameras, delivery, lines, tiles
from croody.fleet.models import Robot
from croody.live.picture import PAGE, Picture, Piece, Text
from croody.live.pieces import Page, digest, piece
from croody.telemetry.read.events import Told
from croody.web import formats

#: Names of others who look at the robot that are said; all are counted.
NAMED: Final = 4


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a robot now.

    Attributes:
        rate: records a second that it sends of what lay on it, None where that is not known yet.
        others: names of those who look at it, too.
        acts: whoever looks may change something; `configures`: also what the robot is.
    """

    now: Now
    slow: Slow
    rate: float | None = None
    others: tuple[str, ...] = ()
    acts: bool = False


def robot(known: Known, now: datetime, language: str) -> Page:
    """All that changes while somebody looks."""
    with override(language):
        head = answer.head(known.now, now, language)
        shown = tiles.tiles(known.now, known.slow, now, language)
        context: dict[str, Any] = {
            "robot": known.now.robot,
            "robot_id": known.now.robot.pk,
            "state": head.state,
            "head": head,
            "at": known.now.entry.at,
            "age": formats.age(now.timestamp() - known.now.entry.at) if known.now.entry.at is not None else formats.NEVER,
            "because": answer.because(known.now, known.slow, now, language, acts=known.acts),
            "tiles": shown[: tiles.AT_ONCE],
            "more": shown[tiles.AT_ONCE :],
            "lines": [lines.line(item, language) for item in known.slow.log],
            "ledger": delivery.ledger(known.now, known.slow.day, language),
            "queue": delivery.queue(known.now.queue, known.rate, language),
            "queue_at": known.now.queue.at if known.now.queue is not None else None,
            "others": others(known.others),
            "letters": known.slow.letters,
            "agent_log": lines.agent_log(known.slow.agent_log, now),
            "shots": [cameras.shot(picture, now) for picture in known.slow.pictures],
        }
        return Page(context, _picture(context, head, shown, language))


def _picture(context: Mapping[str, Any], head: answer.Head, shown: Sequence[tiles.Tile], language: str) -> Picture:
    robot_id = context["robot_id"]
    texts: dict[str, dict[str, Text]] = {
        robot_id: tiles.tile_texts(shown, context["at"]) | {"doing": head.doing} | delivery.ledger_texts(context["ledger"]),
        PAGE: {"title": title(head)},
    }
    values = [(tile.name, tile.x >= 0, tile.usual, tile.old, tile.unit, tile.limit, tile.over) for tile in shown]

    def part(name: str, *said: Any) -> Piece:
        return piece(f"console/robot/{name}.html", context, language, digest(language, *said))

    pieces = {
        "robot-head": part("head", head.sentence, head.since, head.label, head.alarms, _attended(context["robot"])),
        "because": part("because", _lasting(context["because"])),
        "values": part("values", head.state, values),
        "robot-log": part("lines", context["lines"]),
        "ledger": part("ledger", delivery.lasting(context["ledger"]), context["queue"], _minute(context["queue_at"])),
        "agent-log": part("agent_log", context["agent_log"]),
        "pictures": part("pictures", [shot.number for shot in context["shots"]]),
        "others": part("others", context["others"]),
    }
    return Picture(texts, pieces)


def _minute(at: datetime | None) -> datetime | None:
    """As it is shown: to the minute."""
    return at.replace(second=0, microsecond=0) if at is not None else None


def _attended(robot: Robot) -> tuple[Any, ...]:
    return robot.maintenance_by, robot.maintenance_reason, robot.maintenance_until


def _lasting(because: answer.Because | None) -> Any:
    """What of it does not change by itself: its age a browser counts."""
    return None if because is None else (because.number, because.severity, because.sentence, because.before, because.closable, because.more)


def title(head: answer.Head) -> str:
    """As the tab says it."""
    return f"{head.sentence} · {_('Robot')} · Croody"


def others(names: Sequence[str]) -> str:
    """Who else looks at it now."""
    if not names:
        return ""
    said = ", ".join(names[:NAMED])
    hidden = len(names) - NAMED
    if hidden > 0:
        text = ngettext(
            "%(names)s y %(count)s persona más también ven este robot", "%(names)s y %(count)s personas más también lo ven", hidden
        )
        return text % {"names": said, "count": hidden}
    text = ngettext("%(names)s también ve este robot ahora", "%(names)s también ven este robot ahora", len(names))
    return text % {"names": said}


def configuration(start: Told | None, interval_s: float | None, language: str) -> dict[str, Any]:
    """What its agent announced when it started."""
    if start is None:
        return {}
    return {
        "agent": str(start.data.get("agent", ""))[:64],
        "started": start.at,
        "stream": start.stream,
        "capabilities": [str(kind) for kind in start.data.get("capabilities") or ()][:64],
        "said": start.data.get("capabilities") is not None,
        "interval": formats.with_unit(formats.value(interval_s, None, language), "s") if interval_s else "",
    }
