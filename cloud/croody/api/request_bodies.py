"""What `/api/v1/` takes in bodies. A name that is not known is refused: a typing error changes nothing else in silence."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from croody.accounts.caller import Role, Scope
from croody.alarms.acts import COMMENT
from croody.fleet import claims, services
from croody.web.times import Time

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

    until: Time
    revision: Revision = None


class FalseIn(Schema):
    """What is like it: the same `cause`, the same kind at this `robot`, or at any robot of the `team`; and until when."""

    model_config = strict(scope="cause", until="2026-12-24T12:00:00Z")

    scope: Literal["cause", "robot", "team"]
    until: Time
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


class NewRobotIn(Schema):
    """A robot to be. `organisation` by its short name, `site` by its number."""

    model_config = strict(robot_id="amr-07", organisation="croody", kind="rover", label="Forklift 7", site=None, shared=False)

    robot_id: Annotated[str, Field(min_length=1, max_length=64, description="3 to 64 letters, digits, _ or -; it never changes")]
    organisation: Annotated[str, Field(min_length=1, max_length=50)]
    kind: Annotated[str, Field(min_length=1, max_length=32, description="What it is, in a word")] = "robot"
    label: Annotated[str, Field(max_length=services.MOST_LABEL_CHARS)] = ""
    site: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    shared: bool = False


class ReturnIn(Schema):
    """What is another now; what is left out stays. It comes back unseen by the public."""

    model_config = strict(kind="rover")

    kind: Annotated[str, Field(max_length=32)] = ""
    site: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None


class TokenIn(Schema):
    """A key to be: what it is for, until when, and whose it is."""

    model_config = strict(name="dashboard of the plant", scopes=["read"], days=90, organisation=None, role=None)

    name: Annotated[str, Field(min_length=1, max_length=80, description="A name that you recognise")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int | None, Field(ge=1, le=3650, description="It expires after so many; null: never")] = 90
    organisation: Annotated[str | None, Field(max_length=50, description="Of its service; null: your own")] = None
    role: Annotated[Role | None, Field(description="Of a service's key: what it may do there; viewer if left out")] = None


class ClaimIn(Schema):
    """For how many minutes it is good."""

    model_config = strict(minutes=15)

    minutes: Annotated[int, Field(ge=1, le=60)] = 15


class GroupClaimIn(Schema):
    """Which boards come in, as robots of whom, and how many.

    `serials` is their form: `#` a digit, `@` a letter, `*` at the end whatever follows, anything else itself.
    """

    model_config = strict(organisation="croody", group="line-a", serials="RV-####", most=50, minutes=60, kind="rover", site=None)

    organisation: Annotated[str, Field(max_length=50)]
    group: Annotated[str, Field(min_length=1, max_length=32)]
    serials: Annotated[str, Field(min_length=1, max_length=40)]
    most: Annotated[int, Field(ge=1, le=claims.MOST_OF_GROUP)]
    minutes: Annotated[int, Field(ge=1, le=60)] = 60
    kind: Annotated[str, Field(min_length=1, max_length=32)] = "robot"
    site: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None


class SharingIn(Schema):
    """Whether the public may see it."""

    model_config = strict(shared=False)

    shared: bool


class MaintenanceIn(Schema):
    """Until when somebody works on it, and why."""

    model_config = strict(until="2026-11-24T18:00:00Z", reason="new wheels")

    until: Time
    reason: Annotated[str, Field(max_length=services.MOST_REASON_CHARS)] = ""
