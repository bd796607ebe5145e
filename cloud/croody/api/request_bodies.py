"""What `/api/v1/` takes in bodies. A name that is not known is refused: a typing error changes nothing else in silence."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

from croody.alarms.acts import COMMENT
from croody.fleet import services

Revision = Annotated[int | None, Field(ge=0, le=2**31 - 1, description="What you saw: 409 where somebody was faster; null for whatever")]


def strict(**example: Any) -> ConfigDict:
    """A body of ours, with its example."""
    return ConfigDict(extra="forbid", json_schema_extra={"example": example})


class SeenIn(Schema):
    """Nothing, or what you saw."""

    model_config = strict(revision=None)

    revision: Revision = None


class AssignIn(Schema):
    """To whom, by user name; null for nobody."""

    model_config = strict(person="operator")

    person: Annotated[str | None, Field(max_length=150)]
    revision: Revision = None


class SnoozeIn(Schema):
    """Until when."""

    model_config = strict(until="2026-11-25T12:00:00Z")

    until: AwareDatetime
    revision: Revision = None


class FalseIn(Schema):
    """What is like it: the same `cause`, the same kind at this `robot`, or at any robot of the `team`; and until when."""

    model_config = strict(scope="cause", until="2026-12-24T12:00:00Z")

    scope: Literal["cause", "robot", "team"]
    until: AwareDatetime
    revision: Revision = None


class CommentIn(Schema):
    """What to write."""

    model_config = strict(text="the bumper was replaced")

    text: Annotated[str, Field(min_length=1, max_length=COMMENT)]


class RobotIn(Schema):
    """What is left out stays. `site` is a number, null for none."""

    model_config = strict(label="Forklift 3", tags=["dock", "north"])

    label: Annotated[str, Field(max_length=services.MOST_LABEL_CHARS)] = ""
    tags: Annotated[list[str], Field(max_length=services.MOST_TAGS, default_factory=list)]
    notes: Annotated[str, Field(max_length=services.MOST_NOTES_CHARS)] = ""
    site: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None


class SharingIn(Schema):
    """Whether the public may see it."""

    model_config = strict(shared=False)

    shared: bool


class MaintenanceIn(Schema):
    """Until when somebody works on it, and why."""

    model_config = strict(until="2026-11-24T18:00:00Z", reason="new wheels")

    until: AwareDatetime
    reason: Annotated[str, Field(max_length=services.MOST_REASON_CHARS)] = ""
