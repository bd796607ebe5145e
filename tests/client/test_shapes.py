"""The client's shapes are those that the API answers: it stands alone and cannot import them, so this holds the two together."""

import enum
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from ninja import Schema

from croody.api import schemas
from croody_client import shapes

ANSWERED_AS = {
    shapes.Place: [schemas.Place, schemas.Origin],
    shapes.Maintenance: [schemas.MaintenanceOut],
    shapes.Site: [schemas.SiteRef, schemas.SiteRow, schemas.SiteOut],
    shapes.Robot: [schemas.RobotOut],
    shapes.RobotSecret: [schemas.RobotSecretOut],
    shapes.Rotation: [schemas.RotationOut],
    shapes.Revoked: [schemas.RevokedOut],
    shapes.Token: [schemas.TokenRow],
    shapes.TokenSecret: [schemas.TokenSecretOut],
    shapes.Values: [schemas.ValuesOut],
    shapes.Organisation: [schemas.OrganisationRow],
    shapes.Tag: [schemas.TagRow],
    shapes.Line: [schemas.LineOut],
    shapes.Series: [schemas.SeriesOut],
    shapes.Event: [schemas.EventRow],
    shapes.Alarm: [schemas.AlarmOut],
    shapes.Act: [schemas.ActOut],
    shapes.Exception_: [schemas.ExceptionOut],
    shapes.Stream: [schemas.StreamOut],
    shapes.Delivery: [schemas.DeliveryRow, schemas.DeliveryOut],
    shapes.Entry: [schemas.EntryOut],
    shapes.Claim: [schemas.ClaimRow, schemas.ClaimMadeOut],
}
PAIRS: list[tuple[Any, type[Schema]]] = [(shape, schema) for shape, answers in ANSWERED_AS.items() for schema in answers]
EACH = pytest.mark.parametrize(("shape", "schema"), PAIRS, ids=lambda one: one.__name__)


def example(schema: type[Schema]) -> Any:
    return (schema.model_config.get("json_schema_extra") or {}).get("example")  # type: ignore[union-attr]


def kinds(hint: Any) -> set[Any]:
    """What JSON may hold there: a pair is a list, a word of a few is a text, a shape is its name in `ANSWERED_AS`."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        return set().union(*(kinds(one) for one in inside))
    if origin in (list, tuple):
        return {("list", frozenset(kinds(inside[0])))}
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, enum.Enum)):
        return {str}
    if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, Schema)):
        return {next(shape for shape, answers in ANSWERED_AS.items() if hint is shape or hint in answers)}
    return {origin or hint}


def test_every_shape_is_answered_and_every_answer_but_a_page_has_a_shape() -> None:
    known = {one for one in vars(shapes).values() if is_dataclass(one)}
    assert known == set(ANSWERED_AS)
    answers = {one for one in vars(schemas).values() if isinstance(one, type) and issubclass(one, Schema) and one is not Schema}
    pages = {one for one in answers if set(one.model_fields) == {"items", "next"}}
    base = {schemas.AlarmRow}
    assert answers - pages - base == {schema for _shape, schema in PAIRS}


@EACH
def test_a_shape_has_the_fields_of_its_answer(shape: Any, schema: type[Schema]) -> None:
    known, told = get_type_hints(shape), get_type_hints(schema)
    assert set(schema.model_fields) <= set(known)
    assert {one.name for one in fields(shape) if one.default is MISSING} <= set(schema.model_fields)
    assert {
        name: kinds(told[name]) - kinds(known[name]) for name in schema.model_fields if not kinds(told[name]) <= kinds(known[name])
    } == {}


@pytest.mark.parametrize(("shape", "schema"), [pair for pair in PAIRS if example(pair[1])], ids=lambda one: one.__name__)
def test_the_example_of_an_answer_is_read_whole(shape: Any, schema: type[Schema]) -> None:
    read = shapes.made(shape, schema.model_validate(example(schema), strict=False).model_dump(mode="json"))
    for one in fields(shape):
        value = getattr(read, one.name)
        assert value is None or type(value) is not str or str in kinds(get_type_hints(shape)[one.name]), one.name


def test_what_may_be_null_is_told_apart_from_what_may_not() -> None:
    assert kinds(int | None) == {int, NoneType}
    assert not kinds(int | None) <= kinds(int)
    assert kinds(list[int | None]) != kinds(list[int])
    assert kinds(tuple[int, int]) == kinds(list[int])
