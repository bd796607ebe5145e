"""An OpenAPI description as what a reader wants of it: operations, their fields, and an example to paste. Pure; knows no page."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

#: What examples ask for, by the parameter's name: the first robot of the demo and what it measures.
_SAMPLES: Final = {"robot_id": "robot-clases", "metric": "TEMP", "fingerprint": "A" * 43, "site": "bodega"}
_LIMITS: Final = (
    ("minimum", "from"),
    ("maximum", "to"),
    ("minLength", "at least"),
    ("maxLength", "at most"),
    ("minItems", "at least"),
    ("maxItems", "at most"),
    ("maxProperties", "at most"),
)
#: As deep as a reader follows.
_DEEPEST: Final = 4


@dataclass(frozen=True, slots=True)
class Field:
    """One value that goes in or comes out. `name` has a dot before each step inwards, `[]` where there are many."""

    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back under a status."""

    status: str
    text: str
    fields: tuple[Field, ...]

    @property
    def good(self) -> bool:
        """Whether it is what was asked for. Every other one is a refusal, and those are all alike."""
        return self.status.startswith("2")


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to ask. `anchor`: its place on the page; `key`: whether it takes one; `example`: a command for a shell."""

    method: str
    path: str
    anchor: str
    summary: str
    text: str
    key: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    example: str


def operations(schema: Mapping[str, Any], origin: str, now: datetime) -> list[Operation]:
    """Every operation of a description, in its order, with examples for the server at `origin`."""
    shapes = schema.get("components", {}).get("schemas", {})
    return [
        _operation(path, method, item, shapes, origin, now) for path, methods in schema["paths"].items() for method, item in methods.items()
    ]


def _operation(path: str, method: str, item: Mapping[str, Any], shapes: Mapping[str, Any], origin: str, now: datetime) -> Operation:
    parameters = item.get("parameters", [])
    body = _json_of(item.get("requestBody", {}))
    example = body.get("example", _resolved(body.get("schema", {}), shapes).get("example"))
    return Operation(
        method=method.upper(),
        path=path,
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        summary=item.get("summary", ""),
        text=item.get("description", ""),
        key=bool(item.get("security")),
        parameters=tuple(
            Field(p["name"], kind_of(p.get("schema", {}), shapes), p.get("required", False), p.get("description") or _told(p))
            for p in parameters
        ),
        body=tuple(_fields(body.get("schema", {}), shapes)),
        answers=tuple(
            Answer(str(status), answer.get("description", ""), tuple(_fields(_json_of(answer).get("schema", {}), shapes)))
            for status, answer in item["responses"].items()
        ),
        example=_example(origin, path, method, parameters, example, now, key=bool(item.get("security"))),
    )


def kind_of(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> str:
    """`integer, from 1 to 1000`; `text or null`."""
    schema = _resolved(schema, shapes)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(part, shapes) for part in schema["anyOf"]))
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kinds = schema.get("type", "any")
    name = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if schema.get("format"):
        name += f" ({schema['format']})"
    limits = " ".join(f"{word} {schema[key]}" for key, word in _LIMITS if key in schema)
    return f"{name}, {limits}" if limits else name


def _fields(schema: Mapping[str, Any], shapes: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[Field]:
    schema = _resolved(schema, shapes)
    if "items" in schema and isinstance(schema["items"], Mapping):
        yield from _fields(schema["items"], shapes, f"{before}[].", depth + 1)
    for name, inside in schema.get("properties", {}).items():
        yield Field(f"{before}{name}", kind_of(inside, shapes), name in schema.get("required", ()), _told(inside))
        if depth < _DEEPEST:
            shape = _object_in(inside, shapes)
            yield from _fields(shape, shapes, f"{before}{name}{'.' if 'properties' in shape else ''}", depth + 1)


def _object_in(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shape that may have fields, also where it may be null instead."""
    schema = _resolved(schema, shapes)
    for part in schema.get("anyOf", ()):
        found = _resolved(part, shapes)
        if "properties" in found or "items" in found:
            return found
    return schema


def _resolved(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = shapes[schema["$ref"].rpartition("/")[2]]
    return found


def _told(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description") or schema.get("schema", {}).get("description") or "")


def _json_of(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = holder.get("content", {}).get("application/json", {})
    return found


def _example(origin: str, path: str, method: str, parameters: list[Mapping[str, Any]], body: object, now: datetime, *, key: bool) -> str:
    """A `curl` command that works as it stands, once `$KEY` is set where one is needed."""
    samples = _SAMPLES | {"start": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}", "end": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    values = {p["name"]: samples.get(p["name"], "1") for p in parameters if p.get("required")}
    for name in [p["name"] for p in parameters if p["in"] == "path"]:
        path = path.replace(f"{{{name}}}", values.pop(name))
    lines = [f"curl -s '{origin}{path}{'?' if values else ''}{urlencode(values)}'"]
    if key:
        lines.append('-H "X-API-Key: $KEY"')
    if isinstance(body, dict):
        body = {name: f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}" if name == "until" else value for name, value in body.items()}
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(body)}'"]
    if method not in ("get", "post") or (method == "post" and body is None):
        lines.append(f"-X {method.upper()}")
    return " \\\n  ".join(lines)
