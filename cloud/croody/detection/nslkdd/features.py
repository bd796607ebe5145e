"""The 41 features of NSL-KDD: names, order, kinds and rules, and how rows become a matrix. Pure; knows no model.

Used by training and by the API, so both read a row in one way. Nothing here names an address or a port;
`service` is as near as the data set comes to one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["amount", "rate", "flag", "word"]
Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Feature:
    """`amount`: finite, 0 or more. `rate`: 0 to 1. `flag`: 0 or 1. `word`: a category."""

    name: str
    kind: Kind
    unit: str
    about: str

    @property
    def rule(self) -> str:
        """What a value must be, as an error says it."""
        return {
            "amount": "a finite number, 0 or more",
            "rate": "a number from 0 to 1",
            "flag": "0 or 1",
            "word": "text of 1 to 64 characters",
        }[self.kind]


def _table() -> tuple[Feature, ...]:
    text = """
    duration|amount|s|length of the connection
    protocol_type|word||tcp, udp or icmp
    service|word||service at the destination: http, ftp_data, private ...
    flag|word||how the connection ended: SF, S0, REJ ...
    src_bytes|amount|B|bytes from source to destination
    dst_bytes|amount|B|bytes from destination to source
    land|flag||source and destination are the same
    wrong_fragment|amount||wrong fragments
    urgent|amount||urgent packets
    hot|amount||indicators of access to sensitive places
    num_failed_logins|amount||failed logins
    logged_in|flag||a login succeeded
    num_compromised|amount||conditions of compromise
    root_shell|flag||a root shell was obtained
    su_attempted|amount||attempts of su root
    num_root|amount||accesses as root
    num_file_creations|amount||files created
    num_shells|amount||shell prompts
    num_access_files|amount||accesses to access-control files
    num_outbound_cmds|amount||outbound commands in an ftp session
    is_host_login|flag||login of a host account
    is_guest_login|flag||login of a guest account
    count|amount||connections to the same host in the last 2 s
    srv_count|amount||connections to the same service in the last 2 s
    serror_rate|rate||share of `count` with SYN errors
    srv_serror_rate|rate||share of `srv_count` with SYN errors
    rerror_rate|rate||share of `count` with REJ errors
    srv_rerror_rate|rate||share of `srv_count` with REJ errors
    same_srv_rate|rate||share of `count` to the same service
    diff_srv_rate|rate||share of `count` to other services
    srv_diff_host_rate|rate||share of `srv_count` to other hosts
    dst_host_count|amount||of the last 100 connections, those to the same host
    dst_host_srv_count|amount||of these, those to the same service
    dst_host_same_srv_rate|rate||share of `dst_host_count` to the same service
    dst_host_diff_srv_rate|rate||share of `dst_host_count` to other services
    dst_host_same_src_port_rate|rate||share of `dst_host_count` from the same source port
    dst_host_srv_diff_host_rate|rate||share of `dst_host_srv_count` from other hosts
    dst_host_serror_rate|rate||share of `dst_host_count` with SYN errors
    dst_host_srv_serror_rate|rate||share of `dst_host_srv_count` with SYN errors
    dst_host_rerror_rate|rate||share of `dst_host_count` with REJ errors
    dst_host_srv_rerror_rate|rate||share of `dst_host_srv_count` with REJ errors
    """
    rows = [line.strip().split("|") for line in text.strip().splitlines()]
    return tuple(Feature(name, kind, unit, about) for name, kind, unit, about in rows)  # type: ignore[arg-type]


FEATURES: Final = _table()
NAMES: Final = tuple(feature.name for feature in FEATURES)
BY_NAME: Final = {feature.name: feature for feature in FEATURES}
INDEX: Final = {name: index for index, name in enumerate(NAMES)}
WORDS: Final = tuple(feature.name for feature in FEATURES if feature.kind == "word")
#: What the model calls a connection that is not an attack.
BENIGN: Final = "normal"
CLASSES: Final = ("dos", "probe", "r2l", "u2r")
LONGEST_WORD: Final = 64
#: Larger amounts are refused: no byte counter of a connection comes near, and a float holds it exactly.
LARGEST: Final = float(2**53)


class BadFeature(ValueError):
    """A value that breaks its feature's rule; says which feature, which value and which rule."""


def check(name: str, value: Value) -> float | str | None:
    """The value as the model takes it; None means missing.

    Raises:
        BadFeature: wrong type, not finite, out of range, or text that is too long or holds U+0000.
    """
    if value is None:
        return None
    feature = BY_NAME[name]
    shown = repr(value)[:80]
    if feature.kind == "word":
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_WORD:
            raise BadFeature(f"{name}: {shown} must be {feature.rule}")
        if "\x00" in value:
            raise BadFeature(f"{name}: holds the character U+0000: remove it")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadFeature(f"{name}: {shown} must be {feature.rule}, not {_json_type(value)}")
    if not 0 <= value <= LARGEST or (feature.kind != "amount" and value > 1) or (feature.kind == "flag" and value not in (0, 1)):
        raise BadFeature(f"{name}: {shown} must be {feature.rule}")
    return float(value)


def _json_type(value: object) -> str:
    return {bool: "true or false", str: "text", list: "a list", dict: "an object"}.get(type(value), "this")


def encode(rows: list[Mapping[str, float | str]], vocabulary: Mapping[str, list[str]]) -> NDArray[np.float64]:
    """Complete rows -> float64, shape (len(rows), 41). A word is its place in the vocabulary, -1 when it is not there."""
    places = {name: {word: float(place) for place, word in enumerate(vocabulary[name])} for name in WORDS}
    out = np.empty((len(rows), len(NAMES)), dtype=np.float64)
    for column, name in enumerate(NAMES):
        if name in places:
            known = places[name]
            out[:, column] = [known.get(str(row[name]), -1.0) for row in rows]
        else:
            out[:, column] = [row[name] for row in rows]
    return out
