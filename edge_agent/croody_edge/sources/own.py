"""A table of `sources.toml`, or variables of the environment -> the settings class of a source. Opens only `*_file`s."""

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from croody_edge.texts import text
from croody_edge.variables import BadSetting, switch, variable

S = TypeVar("S", bound=msgspec.Struct)
#: Longest value that a message repeats, characters.
_SHOWN: Final = 60
_SECRETS: Final = ("password", "secret", "token", "key")


def from_table(kind: type[S], table: Mapping[str, Any], place: str) -> S:
    """From a table of TOML.

    Args:
        kind: the settings class.
        table: without what the file says beside them.
        place: how the message names the table.

    Raises:
        BadSetting: a field that is not there, is missing, or breaks its rule.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    given = {_field(name, fields): _content(name, value, fields, place) for name, value in table.items()}
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise BadSetting(text("own.unknown", name=f"{place} {unknown[0]}", names=", ".join(sorted(fields))))
    return _made(kind, given, {name: f"{place} {name}" for name in fields}, strict=True)


def from_environment(kind: type[S], environ: Mapping[str, str], prefix: str, default: Mapping[str, Any]) -> S:
    """From variables, `PREFIX_FIELD` each.

    Args:
        kind: the settings class.
        environ: of the process.
        prefix: such as `CROODY_REPLAY`.
        default: for fields that no variable sets.

    Raises:
        BadSetting: a field is missing, or breaks its rule.
    """
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    variables = {name: f"{prefix}_{name}".upper() for name in fields}
    given = dict(default) | {name: value for name in fields if (value := variable(environ, variables[name])) is not None}
    return _made(kind, given, variables, strict=False)


def _field(name: str, fields: Mapping[str, Any]) -> str:
    """`password_file` is another way to say `password`."""
    bare = name.removesuffix("_file")
    return bare if name not in fields and name.endswith("_file") and bare in fields else name


def _content(name: str, value: Any, fields: Mapping[str, Any], place: str) -> Any:
    if _field(name, fields) == name:
        return value
    try:
        return Path(str(value)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise BadSetting(text("own.unreadable", name=f"{place} {name}", value=repr(value), error=error)) from error


def _made(kind: type[S], given: Mapping[str, Any], called: Mapping[str, str], *, strict: bool) -> S:
    values = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name in given:
            values[field.name] = _value(field, given[field.encode_name], called[field.encode_name], strict)
        elif field.required:
            raise BadSetting(text("own.missing", name=called[field.encode_name], rule=_rule(inspect.type_info(field.type), "")))
    try:
        return kind(**values)
    except ValueError as error:  # A rule of its own, from `__post_init__`.
        raise BadSetting(text("setting.rule", name=next(iter(called.values())).rsplit(" ", 1)[0], value="", rule=error)) from error


def _value(field: msgspec.structs.FieldInfo, value: Any, called: str, strict: bool) -> Any:
    info = _bare(inspect.type_info(field.type))
    shown = text("setting.secret") if any(word in field.name for word in _SECRETS) else repr(value)[:_SHOWN]
    try:
        if not all_finite(value) or (isinstance(value, bool) and not isinstance(info, inspect.BoolType)):
            raise ValueError(_rule(info, ""))
        if not strict and isinstance(value, str):
            value = _worded(value, info)
        made = msgspec.convert(value, field.type, strict=strict, dec_hook=_path)
        if not all_finite(made):
            raise ValueError(_rule(info, ""))
    except msgspec.ValidationError as error:
        raise BadSetting(text("setting.rule", name=called, value=shown, rule=_rule(info, str(error)))) from error
    except ValueError as error:
        raise BadSetting(text("setting.rule", name=called, value=shown, rule=error)) from error
    return made


def _worded(value: str, info: inspect.Type) -> Any:
    """What a variable says: a switch in words, a list with commas between, all else as it is."""
    if isinstance(info, inspect.BoolType):
        return switch(value)
    if isinstance(info, inspect.ListType | inspect.VarTupleType):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str) and value and "\x00" not in value:
        return Path(value)
    raise ValueError(text("rule.path"))


def all_finite(value: Any) -> bool:
    """TOML knows `nan` and `inf`; no setting of ours does."""
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, dict):
        return all(map(all_finite, value.values()))
    return all(map(all_finite, value)) if isinstance(value, list) else True


def _bare(info: inspect.Type) -> inspect.Type:
    """Without its description, and without None."""
    if isinstance(info, inspect.Metadata):
        return _bare(info.type)
    if isinstance(info, inspect.UnionType):
        some = [inner for inner in info.types if not isinstance(inner, inspect.NoneType)]
        return _bare(some[0]) if len(some) == 1 else info
    return info


def _rule(info: inspect.Type, said: str) -> str:
    """The rule of a type in words; `said` is what msgspec says where there are none of ours."""
    match _bare(info):
        case inspect.BoolType():
            return text("rule.switch")
        case inspect.IntType(ge=low, le=high):
            between = f"; {text('rule.between', low=low, high=high)}" if low is not None and high is not None else ""
            return f"{text('rule.whole')}{between}"
        case inspect.FloatType(ge=low, le=high):
            between = f"; {text('rule.between', low=low, high=high)}" if low is not None and high is not None else ""
            return f"{text('rule.number')}{between}"
        case inspect.LiteralType(values=values):
            return text("rule.one_of", values=", ".join(map(str, values)))
        case inspect.CustomType():
            return text("rule.path")
        case inspect.StrType(pattern=pattern) if pattern is None:
            return text("rule.text")
        case _:
            return said or text("rule.other")
