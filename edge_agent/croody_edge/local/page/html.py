"""The page itself: `Facts` -> HTML in one of two languages. Pure. Everything that came from outside is escaped where it is placed."""

from html import escape
from typing import Final

from croody_contract.messages import Value
from croody_contract.printable import printable
from croody_edge.local.page.facts import Checked, Facts, Measured, RuleState, Told, Waiting
from croody_edge.local.state import SourceState
from croody_edge.texts import TEXTS, Language, text_in

#: Events that the page shows; `/status.json` has all that are remembered.
_MOST_EVENTS: Final = 50
_MOST_CHARS: Final = 200
_SPACE: Final = "\u00a0"


def page(facts: Facts, language: Language, *, still: bool) -> str:
    """The whole document.

    Args:
        facts: to show.
        language: of its words.
        still: it does not renew itself.
    """
    return _Page(facts, language, still).whole()


class _Page:
    def __init__(self, facts: Facts, language: Language, still: bool) -> None:
        self._facts, self._language, self._still = facts, language, still

    def whole(self) -> str:
        facts = self._facts
        answer = self._answer()
        sections = [
            self._section("waiting", self._waiting(facts.waiting)),
            self._section("events", self._events(facts.events)),
            self._section("sources", self._rows("sources", [self._source(one) for one in facts.sources])),
            self._section("rules", self._problems() + self._rows("rules", [self._rule(one) for one in facts.rules])),
            self._section("values", self._rows("values", [self._value(one) for one in facts.values])),
            self._section("doctor", self._doctor()),
        ]
        return (
            f'<!doctype html><html lang="{self._language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="/page.css"><title>{_plain(facts.robot_id)} · Croody</title></head><body>'
            f'<header><p class="brand">croody</p><nav>{self._links()}</nav></header><main>'
            f'<div class="head"><h1>{answer}</h1><p class="sub">{self._sub()}</p></div>{"".join(sections)}</main>'
            f"<footer>{self._foot()}</footer></body></html>"
        )

    # the head

    def _answer(self) -> str:
        facts = self._facts
        glyph = '<span class="glyph {}" aria-hidden="true"></span>'
        if facts.connected:
            return glyph.format("on") + self._say("page.connected", robot=_plain(facts.robot_id))
        said = self._say("page.away", robot=_plain(facts.robot_id), since=self._for(facts.away_s or 0.0))
        return glyph.format("away") + said

    def _sub(self) -> str:
        facts = self._facts
        if not facts.connected:
            return _plain(facts.trouble)
        if facts.proven_age_s is None:
            return self._say("page.not_proven")
        return self._say("page.proven", age=self._for(facts.proven_age_s))

    def _links(self) -> str:
        other = "en" if self._language == "es" else "es"
        still = "" if self._still else "&amp;still=1"
        key = "page.go_on" if self._still else "page.keep_still"
        return (
            f'<a href="?lang={self._language}{still}">{self._say(key)}</a>'
            f'<a href="?lang={other}{"&amp;still=1" if self._still else ""}" lang="{other}">{self._say("page.other_language")}</a>'
        )

    def _foot(self) -> str:
        up = self._say("page.up", agent=_plain(self._facts.agent), age=self._for(self._facts.up_s))
        return f'{up} · <a href="/status.json">status.json</a>'

    # the sections

    def _section(self, name: str, body: str) -> str:
        return f'<section class="{name}"><h2>{self._say(f"page.{name}")}</h2>{body}</section>'

    def _rows(self, name: str, rows: list[str]) -> str:
        return f"<ul>{''.join(rows)}</ul>" if rows else f'<p class="none">{self._say(f"page.no_{name}")}</p>'

    def _waiting(self, waiting: Waiting) -> str:
        pairs = [("page.records", _number(waiting.records))]
        if waiting.oldest_age_s is not None:
            pairs.append(("page.oldest", self._for(waiting.oldest_age_s)))
        if waiting.new_per_s is not None and waiting.sent_per_s is not None:
            pairs += [("page.new", _rate(waiting.new_per_s)), ("page.sent", _rate(waiting.sent_per_s))]
        if waiting.records:
            pairs.append(("page.there", self._there(waiting)))
        rows = "".join(f"<div><dt>{self._say(key)}</dt><dd>{value}</dd></div>" for key, value in pairs)
        return f"<dl>{rows}</dl>"

    def _there(self, waiting: Waiting) -> str:
        if not self._facts.connected:
            return self._say("page.there_when_back", time=self._for(max(1.0, waiting.records / self._facts.drain_per_s)))
        if waiting.empty_in_s is None:
            return self._say("page.there_unknown")
        return self._say("page.there_in", time=self._for(waiting.empty_in_s))

    def _events(self, events: list[Told]) -> str:
        return self._rows("events", [self._event(one) for one in events[:_MOST_EVENTS]])

    def _event(self, told: Told) -> str:
        words = ", ".join(f"{name} = {_shown(value)}" for name, value in list(told.detail.items())[:4])
        over = f' <span class="tag">{self._say("page.over")}</span>' if told.over else ""
        severity = "none" if told.over else told.severity
        word = "" if told.over else f"{self._say(f'page.{told.severity}')}: "
        return (
            f'<li><span class="glyph {severity}" aria-hidden="true"></span><div><b>{word}{_plain(told.code)}</b>{over}'
            f"<p>{_plain(words)}</p></div>{self._ago(told.age_s)}</li>"
        )

    def _source(self, source: SourceState) -> str:
        name = _plain(source.name or self._say("page.the_source"))
        why = f"<p>{_plain(source.cause)}</p>" if source.cause else ""
        said = self._say("page.source_away") if source.cause else self._say("page.source_reads")
        age = self._ago(max(0.0, source.age_s)) if source.age_s is not None else f'<span class="age">{self._say("page.never")}</span>'
        glyph = "away" if source.cause else "on" if source.age_s is not None else "unknown"
        return f'<li><span class="glyph {glyph}" aria-hidden="true"></span><div><b>{name}</b> {said}{why}</div>{age}</li>'

    def _problems(self) -> str:
        return "".join(f'<p class="problem">{_plain(problem)}</p>' for problem in self._facts.rule_problems)

    def _rule(self, rule: RuleState) -> str:
        wanted = self._say(f"page.rule_{rule.sort}", metric=_plain(rule.metric), limit=_shown(rule.limit))
        state = self._say("page.rule_holds" if rule.holds else "page.rule_rests")
        lines = [f"{wanted} · {self._say('page.rule_times', times=_number(rule.times))}"]
        lines += [f"{_plain(sort)}: {_plain(why) if why else self._say('page.done')}" for sort, why in rule.outcomes.items()]
        last = rule.begun_age_s if rule.holds else rule.ended_age_s
        age = self._ago(last) if last is not None else f'<span class="age">{self._say("page.never")}</span>'
        glyph = "medium" if rule.holds else "none"
        said = "".join(f"<p>{line}</p>" for line in lines)
        return f'<li><span class="glyph {glyph}" aria-hidden="true"></span><div><b>{_plain(rule.name)}</b> {state}{said}</div>{age}</li>'

    def _value(self, one: Measured) -> str:
        label = one.label[0 if self._language == "es" else 1] or one.name
        unit = f"{_SPACE}{_plain(one.unit)}" if one.unit else ""
        return f"<li><div>{_plain(label)}</div><b>{_plain(_value(one.value, one.decimals))}{unit}</b>{self._ago(one.age_s)}</li>"

    def _doctor(self) -> str:
        if self._facts.doctor_age_s is None:
            return f'<p class="none">{self._say("page.doctor_asked")}</p>'
        rows = self._rows("doctor", [self._finding(one) for one in self._facts.doctor])
        return f'<p class="none">{self._say("page.doctor_age", age=self._for(self._facts.doctor_age_s))}</p>{rows}'

    def _finding(self, one: Checked) -> str:
        key = next((key for key in (f"check.{one.check}", f"check.{one.check}_name") if key in TEXTS), "")
        glyph = {"ok": "on", "wrong": "high"}.get(one.state, "unknown")
        name = self._say(key) if key else _plain(one.check)
        return f'<li><span class="glyph {glyph}" aria-hidden="true"></span><div><b>{name}</b><p>{_plain(one.said)}</p></div></li>'

    # words

    def _say(self, key: str, **values: str) -> str:
        """A text of ours with values that are HTML already."""
        return text_in(self._language, key, **values)

    def _ago(self, age_s: float) -> str:
        return f'<span class="age">{self._say("page.ago", age=self._for(age_s))}</span>'

    def _for(self, seconds: float) -> str:
        """`12 s`, `12 min`, `4 h 12 min`, `3 d`."""
        whole = int(seconds)
        if whole < 60:
            return f"{whole}{_SPACE}s"
        if whole < 3600:
            return f"{whole // 60}{_SPACE}min"
        if whole < 86400:
            return f"{whole // 3600}{_SPACE}h {whole % 3600 // 60}{_SPACE}min"
        return f"{whole // 86400}{_SPACE}d"


def _plain(words: str) -> str:
    """What came from outside, as text."""
    return escape(printable(words[:_MOST_CHARS]))


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def _rate(per_s: float) -> str:
    return f"{per_s:.1f}/s" if per_s < 100 else f"{_number(round(per_s))}/s"


def _shown(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(value: Value, decimals: int | None) -> str:
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    if decimals is not None:
        return f"{value:.{decimals}f}"
    return f"{value:.6g}" if abs(value) < 1e5 else f"{value:.0f}"
