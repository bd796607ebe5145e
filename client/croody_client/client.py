"""The API as methods: each is one operation, lists are iterators over all pages. What goes over the line is `link`'s."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

from croody_client import exports
from croody_client.link import Link
from croody_client.shapes import (
    Act,
    Alarm,
    Claim,
    Delivery,
    Entry,
    Event,
    Exception_,
    Organisation,
    Revoked,
    Robot,
    RobotSecret,
    Rotation,
    Series,
    Site,
    Tag,
    Token,
    TokenSecret,
    Values,
    made,
)

T = TypeVar("T")
Format = Literal["csv", "parquet"]
What = Literal["readings", "events", "alarms", "audit"]
_UNSAID: Any = object()


class Client:
    """A site's API. Every method may raise `ApiError` (refused) and `Away` (nobody answered).

    Args:
        url: the site's address, without `/api/v1`.
        token: a personal token or another key; without it there is what the public sees.
        timeout_s: for one answer to begin, and for each piece of it.
        tries: how often a question is asked at most.
        verify: how a site with an authority of its own is known (`ssl.create_default_context(cafile=...)`).
    """

    def __init__(
        self, url: str, token: str = "", *, timeout_s: float = 30.0, tries: int = 5, verify: ssl.SSLContext | None = None, **inject: Any
    ) -> None:
        self._link = Link(url, token, timeout_s=timeout_s, tries=tries, verify=verify, **inject)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is held open between two questions."""

    # -- the fleet -----------------------------------------------------------------------------------------------
    def robots(
        self,
        *,
        organisation: str | None = None,
        site: int | None = None,
        kind: str | None = None,
        state: str | None = None,
        shared: bool | None = None,
        tag: str | None = None,
        q: str | None = None,
    ) -> Iterator[Robot]:
        """Robots that you may see, by their ids."""
        asked = {"organisation": organisation, "site": site, "kind": kind, "state": state, "shared": shared, "tag": tag, "q": q}
        return self._all("/robots", Robot, asked)

    def robot(self, robot_id: str) -> Robot:
        """One robot."""
        return made(Robot, self._link.ask(f"/robots/{_part(robot_id)}"))

    def values(self, robot_id: str) -> Values:
        """What it measures now."""
        return made(Values, self._link.ask(f"/robots/{_part(robot_id)}/values"))

    def change(
        self,
        robot_id: str,
        *,
        label: str | None = None,
        tags: Sequence[str] | None = None,
        notes: str | None = None,
        site: int | None = _UNSAID,
    ) -> Robot:
        """Change what it is to its team; what is left out stays. `site=None`: nowhere in particular."""
        said = {"label": label, "tags": list(tags) if tags is not None else None, "notes": notes}
        body = {name: value for name, value in said.items() if value is not None} | ({} if site is _UNSAID else {"site": site})
        return made(Robot, self._link.act("PATCH", f"/robots/{_part(robot_id)}", body))

    def add_robot(
        self, robot_id: str, organisation: str, *, kind: str = "robot", label: str = "", site: int | None = None, shared: bool = False
    ) -> RobotSecret:
        """A new robot with its secret. `ApiError` `taken` or `revoked` where the id is in use, or was: see `bring_back`."""
        body = {"robot_id": robot_id, "organisation": organisation, "kind": kind, "label": label, "site": site, "shared": shared}
        return made(RobotSecret, self._link.act("POST", "/robots", body))

    def rotate_secret(self, robot_id: str) -> RobotSecret:
        """A new secret; the old one stops working."""
        return made(RobotSecret, self._link.act("POST", f"/robots/{_part(robot_id)}/secret"))

    def ask_to_rotate(self, robot_id: str) -> Rotation:
        """Ask a robot to change its secret by itself; nobody sees the new one. `ApiError` where its agent cannot."""
        return made(Rotation, self._link.act("POST", f"/robots/{_part(robot_id)}/secret/rotation"))

    def rotation(self, robot_id: str) -> Rotation:
        """What became of the one that was asked for last."""
        return made(Rotation, self._link.ask(f"/robots/{_part(robot_id)}/secret/rotation"))

    def revoke_robot(self, robot_id: str) -> Revoked:
        """Shut it out; its readings stay."""
        return made(Revoked, self._link.act("DELETE", f"/robots/{_part(robot_id)}"))

    def bring_back(self, robot_id: str, *, kind: str | None = None, site: int | None = _UNSAID) -> RobotSecret:
        """Let a robot in again that was shut out, with a new secret; what is left out is as it was."""
        body: dict[str, Any] = ({} if kind is None else {"kind": kind}) | ({} if site is _UNSAID else {"site": site})
        return made(RobotSecret, self._link.act("POST", f"/robots/{_part(robot_id)}/bring-back", body))

    def share(self, robot_id: str, shared: bool) -> Robot:
        """Let the public see it, or no more."""
        return made(Robot, self._link.act("PUT", f"/robots/{_part(robot_id)}/sharing", {"shared": shared}))

    def start_maintenance(self, robot_id: str, until: datetime, reason: str = "") -> Robot:
        """Somebody works on it until then."""
        body = {"until": until.isoformat(), "reason": reason}
        return made(Robot, self._link.act("PUT", f"/robots/{_part(robot_id)}/maintenance", body))

    def end_maintenance(self, robot_id: str) -> Robot:
        """The work is done."""
        return made(Robot, self._link.act("DELETE", f"/robots/{_part(robot_id)}/maintenance"))

    def claim(self, robot_id: str, *, minutes: int = 15) -> Claim:
        """A claim with which a board takes this robot's place; its `line` is for the board, and is told this once."""
        return made(Claim, self._link.act("POST", f"/robots/{_part(robot_id)}/claims", {"minutes": minutes}))

    def claim_group(
        self,
        organisation: str,
        group: str,
        *,
        serials: str,
        most: int,
        minutes: int = 60,
        kind: str = "robot",
        site: int | None = None,
    ) -> Claim:
        """A claim for a line of boards: each becomes `GROUP-SERIAL`. `serials`: `#` a digit, `@` a letter, `*` at the end the rest."""
        body = {
            "organisation": organisation,
            "group": group,
            "serials": serials,
            "most": most,
            "minutes": minutes,
            "kind": kind,
            "site": site,
        }
        return made(Claim, self._link.act("POST", "/claims", body))

    def claims(self, robot_id: str | None = None) -> Iterator[Claim]:
        """Open claims; with a robot all of its last ones."""
        return self._all("/claims" if robot_id is None else f"/robots/{_part(robot_id)}/claims", Claim, {})

    def revoke_claim(self, number: int) -> Claim:
        """End it; robots that came in by it stay."""
        return made(Claim, self._link.act("POST", f"/claims/{number}/revoke", {})["items"][0])

    def tags(self) -> Iterator[Tag]:
        """Tags of the robots that you work with."""
        return self._all("/tags", Tag, {})

    def sites(self, *, organisation: str | None = None) -> Iterator[Site]:
        """Sites, without their plans."""
        return self._all("/sites", Site, {"organisation": organisation})

    def site(self, number: int) -> Site:
        """One site with its plan."""
        return made(Site, self._link.ask(f"/sites/{number}"))

    def organisations(self) -> Iterator[Organisation]:
        """Organisations that you are in."""
        return self._all("/organisations", Organisation, {})

    # -- what they said ------------------------------------------------------------------------------------------
    def series(
        self,
        robot_id: str | Sequence[str],
        metric: str | Sequence[str],
        start: datetime,
        end: datetime,
        *,
        step_s: int | None = None,
        buckets: int | None = None,
        aggregate: Sequence[str] | None = None,
    ) -> Series:
        """Metrics over time, in buckets that all lines share."""
        asked = {"robot_id": robot_id, "metric": metric, "start": start, "end": end, "step_s": step_s, "buckets": buckets}
        return made(Series, self._link.ask("/series", {**asked, "aggregate": aggregate}))

    def events(self, robot_id: str, *, start: datetime | None = None, end: datetime | None = None) -> Iterator[Event]:
        """What it said beside its readings, the newest first."""
        return self._all(f"/robots/{_part(robot_id)}/events", Event, {"start": start, "end": end})

    def deliveries(self) -> Iterator[Delivery]:
        """What became of everything that each robot numbered."""
        return self._all("/deliveries", Delivery, {})

    def delivery(self, robot_id: str) -> Delivery:
        """The same of one robot, by stream."""
        return made(Delivery, self._link.ask(f"/robots/{_part(robot_id)}/delivery"))

    # -- alarms --------------------------------------------------------------------------------------------------
    def alarms(
        self, *, status: str | None = None, robot_id: str | None = None, severity: str | None = None, kind: str | None = None
    ) -> Iterator[Alarm]:
        """Alarms, the open ones unless `status` says `over` or `all`."""
        return self._all("/alarms", Alarm, {"status": status, "robot_id": robot_id, "severity": severity, "kind": kind})

    def alarm(self, number: int) -> Alarm:
        """One alarm."""
        return made(Alarm, self._link.ask(f"/alarms/{number}"))

    def history(self, number: int) -> Iterator[Act]:
        """What people did about it, the newest first."""
        return self._all(f"/alarms/{number}/history", Act, {})

    def acknowledge(self, number: int, *, revision: int | None = None) -> Alarm:
        """Say that you have seen it. `revision`, here and below: what you saw; `ApiError` `late` where somebody was faster."""
        return self._do(number, "acknowledge", revision=revision)

    def assign(self, number: int, person: str | None, *, revision: int | None = None) -> Alarm:
        """Give it to somebody, or to nobody."""
        return self._do(number, "assign", person=person, revision=revision)

    def snooze(self, number: int, until: datetime, *, revision: int | None = None) -> Alarm:
        """Put it out of sight for a while."""
        return self._do(number, "snooze", until=until.isoformat(), revision=revision)

    def resolve(self, number: int, *, revision: int | None = None) -> Alarm:
        """Close it."""
        return self._do(number, "resolve", revision=revision)

    def mark_false(self, number: int, scope: Literal["cause", "robot", "team"], until: datetime, *, revision: int | None = None) -> Alarm:
        """Say that it was no alarm: those like it are not shown until then."""
        return self._do(number, "false", scope=scope, until=until.isoformat(), revision=revision)

    def comment(self, number: int, text: str) -> Alarm:
        """Write a line into its history."""
        return self._do(number, "comment", text=text)

    def reopen(self, number: int, *, revision: int | None = None) -> Alarm:
        """Open again what is closed."""
        return self._do(number, "reopen", revision=revision)

    def exceptions(self) -> Iterator[Exception_]:
        """What is held back as false alarms now."""
        return self._all("/exceptions", Exception_, {})

    def end_exception(self, number: int) -> Exception_:
        """Let such alarms be seen again."""
        return made(Exception_, self._link.act("POST", f"/exceptions/{number}/end"))

    # -- keys ----------------------------------------------------------------------------------------------------
    def tokens(self, *, organisation: str | None = None) -> Iterator[Token]:
        """Keys of yours that work now, or of an organisation's service."""
        return self._all("/tokens", Token, {"organisation": organisation})

    def make_token(
        self, name: str, scopes: Sequence[str], *, days: int | None = 90, organisation: str | None = None, role: str | None = None
    ) -> TokenSecret:
        """A new key; `days=None`: without end. A key makes none that can more or works longer than itself (`too_wide`)."""
        body = {"name": name, "scopes": list(scopes), "days": days, "organisation": organisation, "role": role}
        return made(TokenSecret, self._link.act("POST", "/tokens", body))

    def revoke_token(self, number: int) -> Token:
        """Shut a key out at once."""
        return made(Token, self._link.act("DELETE", f"/tokens/{number}"))

    # -- the log and files ---------------------------------------------------------------------------------------
    def audit(
        self,
        *,
        organisation: str | None = None,
        name: str | None = None,
        verb: str | None = None,
        thing: str | None = None,
        thing_id: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[Entry]:
        """Who did what, newest first."""
        asked = {"organisation": organisation, "name": name, "verb": verb, "thing": thing, "thing_id": thing_id}
        return self._all("/audit", Entry, {**asked, "start": start, "end": end})

    def export(self, what: What, to: str | Path, *, start: datetime, end: datetime, format: Format = "csv", **more: Any) -> Path:
        """A range as a file; `more` is what that export takes: `robot_id`, `metric`, `organisation`, `as_of`, `limit`.

        A CSV that is cut off goes on behind its last whole row, also when asked for again in another run; a Parquet file begins anew.
        Until it is whole it lies in `TO.part`.
        """
        return exports.save(self._link, what, Path(to), {"start": start, "end": end, "format": format, **more})

    def _do(self, number: int, act: str, **body: Any) -> Alarm:
        said = {name: value for name, value in body.items() if value is not None or name == "person"}
        return made(Alarm, self._link.act("POST", f"/alarms/{number}/{act}", said))

    def _all(self, path: str, kind: type[T], asked: dict[str, Any]) -> Iterator[T]:
        cursor: str | None = ""
        while cursor is not None:
            page = self._link.ask(path, {**asked, "cursor": cursor})
            yield from (made(kind, one) for one in page["items"])
            cursor = page["next"]


def _part(text: str) -> str:
    """A name as one part of an address."""
    return quote(text, safe="")
