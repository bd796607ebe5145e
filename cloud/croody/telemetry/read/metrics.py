"""Metric names -> what people read: label in both languages, unit, decimals. Knows no robot.

A robot may say what its metrics are (`metric_infos`), which goes before. A metric that nobody described is shown all the same: its name as
words, its unit from the name's ending. Both languages stand here and not in `locale/`: a new sensor is one row with name, words, unit and
decimals, and "Ciclo" alone would tell a translator nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from croody.web import formats, units
from croody_contract.messages import MetricInfo
from croody_contract.printable import printable


@dataclass(frozen=True, slots=True)
class Metric:
    """`decimals`: as many as the sensor means. `rank`: smaller comes first where there is room for few.

    What is shown is the value times `factor` and `offset`: nobody reads bytes of a disk, and not everybody degrees Celsius.
    """

    name: str
    es: str
    en: str
    unit: str
    decimals: int
    rank: int = 50
    factor: float = 1.0
    #: What is added then: only degrees have another zero.
    offset: float = 0.0
    #: Words that are a value of it, in Spanish and English; others are shown as they came.
    words: tuple[tuple[str, str, str], ...] = ()
    #: Somebody said what it is: here, or the robot itself. Of others it is not known how exact they are.
    known: bool = False

    def said(self, raw: object, language: str) -> object:
        """A value that is a word in people's words; any other as it is."""
        return next((es if language == "es" else en for word, es, en in self.words if word == raw), raw)

    def label(self, language: str) -> str:
        """Its name in `language`."""
        return self.es if language == "es" else self.en

    def scaled(self, value: float) -> float:
        """A value in the unit that people read."""
        return value * self.factor + self.offset

    def text(self, raw: object, language: str) -> str:
        """A value as people read it, without its unit. Of what nobody described it is not known how exact it is."""
        decimals = self.decimals if self.known or self.name in METRICS or self.unit else None
        yes, no = ("sí", "no") if language == "es" else ("yes", "no")
        return formats.value(self.said(raw, language), decimals, language, factor=self.factor, offset=self.offset, yes=yes, no=no)

    def quantity(self, raw: object, language: str, *, change: bool = False) -> str:
        """The same with its unit. `change`: by how much it is another one, which has no zero of its own."""
        metric = replace(self, offset=0.0) if change else self
        return formats.with_unit(metric.text(raw, language), self.unit)


def _table(*rows: Metric) -> dict[str, Metric]:
    return {row.name: row for row in rows}


_GIB: Final = 1 / 2**30
_JOINTS: Final = range(7)
_SCREENING: Final = (
    ("readings_too_slow", "lecturas lentas", "slow readings"),
    ("sensors_unknown", "faltan sensores", "sensors are missing"),
    ("learning", "aprende lo habitual", "learning what is ordinary"),
    ("profile_refused", "lo aprendido está dañado", "what it learned is damaged"),
)

METRICS: Final = _table(
    # A robot that drives.
    Metric("speed_mps", "Velocidad", "Speed", "m/s", 2, 10),
    Metric("motor_temp_c", "Temp. motor", "Motor temp.", "°C", 1, 11),
    Metric("TEMP", "Temperatura", "Temperature", "°C", 1, 12),
    Metric("HUM", "Humedad", "Humidity", "%", 1, 13),
    Metric("motor_current_a", "Corriente motor", "Motor current", "A", 2, 14),
    Metric("PRES", "Presión", "Pressure", "hPa", 1, 20),
    Metric("WIND", "Viento", "Wind", "m/s", 2, 21),
    Metric("max_load_kg", "Carga máxima", "Maximum load", "kg", 0, 33),
    Metric("battery_pct", "Batería", "Battery", "%", 0, 30),
    # Not measured but made of the battery's level by screening on board.
    Metric("battery_slope_pct_s", "Descarga", "Discharge", "%/s", 3, 32),
    Metric("screen_score", "Puntaje", "Score", "", 2, 31),
    # Why no window was scored for a while: a note, for a slow robot is no fault.
    Metric("screening", "Sin revisión a bordo", "Not screened on board", "", 0, 33, words=_SCREENING),
    Metric("x_m", "X", "X", "m", 2, 90),
    Metric("y_m", "Y", "Y", "m", 2, 91),
    Metric("heading_deg", "Rumbo", "Heading", "°", 0, 92),
    # A machine.
    Metric("cpu_pct", "CPU", "CPU", "%", 0, 10),
    Metric("mem_used_pct", "Memoria usada", "Memory used", "%", 0, 11),
    Metric("disk_used_pct", "Disco usado", "Disk used", "%", 0, 12),
    Metric("temp_c", "Temperatura", "Temperature", "°C", 1, 13),
    Metric("load_1min", "Carga, 1 min", "Load, 1 min", "", 2, 14),
    Metric("net_received_bps", "Red, recibido", "Network, in", "kbit/s", 0, 15, 1e-3),
    Metric("net_sent_bps", "Red, enviado", "Network, out", "kbit/s", 0, 16, 1e-3),
    Metric("disk_read_bytes_per_s", "Disco, lectura", "Disk, read", "kB/s", 0, 17, 1e-3),
    Metric("disk_written_bytes_per_s", "Disco, escritura", "Disk, written", "kB/s", 0, 18, 1e-3),
    Metric("mem_available_bytes", "Memoria libre", "Memory free", "GiB", 1, 19, _GIB),
    Metric("disk_free_bytes", "Disco libre", "Disk free", "GiB", 1, 20, _GIB),
    Metric("uptime_s", "Encendida", "Up for", "h", 1, 22, 1 / 3600),
    # An arm.
    Metric("cycle", "Ciclo", "Cycle", "", 0, 10),
    Metric("protective_stop", "Parada de protección", "Protective stop", "", 0, 11),
    Metric("grip_lost", "Agarre perdido", "Grip lost", "", 0, 12),
    Metric("tool_current_a", "Corriente herramienta", "Tool current", "A", 2, 13),
    *(Metric(f"joint{n}_temp_c", f"Temp. eje {n}", f"Joint {n} temp.", "°C", 1, 40 + n) for n in _JOINTS),
    *(Metric(f"joint{n}_current_a", f"Corriente eje {n}", f"Joint {n} current", "A", 2, 50 + n) for n in _JOINTS),
    *(Metric(f"joint{n}_speed_radps", f"Velocidad eje {n}", f"Joint {n} speed", "rad/s", 2, 60 + n) for n in _JOINTS),
)

#: Ending of a name -> unit and decimals. Longer endings first.
_ENDINGS: Final = (
    ("_bytes_per_s", "B/s", 0),
    ("_bps", "bit/s", 0),
    ("_kbps", "kbit/s", 1),
    ("_radps", "rad/s", 2),
    ("_mps2", "m/s2", 2),
    ("_mps", "m/s", 2),
    ("_rpm", "rpm", 0),
    ("_pct", "%", 0),
    ("_deg", "°", 1),
    ("_rad", "rad", 2),
    ("_hpa", "hPa", 1),
    ("_kpa", "kPa", 1),
    ("_bar", "bar", 2),
    ("_dbm", "dBm", 0),
    ("_mib", "MiB", 0),
    ("_gib", "GiB", 1),
    ("_bytes", "B", 0),
    ("_hz", "Hz", 1),
    ("_kg", "kg", 1),
    ("_nm", "N m", 2),
    ("_mm", "mm", 0),
    ("_cm", "cm", 1),
    ("_km", "km", 2),
    ("_ms", "ms", 0),
    ("_mv", "mV", 0),
    ("_ma", "mA", 0),
    ("_a", "A", 2),
    ("_v", "V", 2),
    ("_w", "W", 1),
    ("_c", "°C", 1),
    ("_m", "m", 2),
    ("_s", "s", 1),
)


#: What a robot says of its own metrics, by their names.
Said = Mapping[str, Metric]
NOBODY_SAID: Final[Said] = {}


def describe(name: str, said: Said = NOBODY_SAID) -> Metric:
    """The metric of this name, as the robot says, or from the table or the name itself, in the units of the page at hand."""
    return _described(name, said.get(name), units.current())


def of_info(info: MetricInfo) -> Metric:
    """What a robot says of one metric, over what is known of its name: the words are the robot's, so nothing in them steers a page."""
    base = _native(info.name)
    es, en = printable(info.es or info.en), printable(info.en or info.es)
    unit = printable(info.unit) or base.unit
    return replace(
        base,
        es=es or base.es,
        en=en or base.en,
        unit=unit,
        decimals=base.decimals if info.decimals is None else info.decimals,
        # What is shown is what the robot measures, in its unit; a factor of ours belongs to a unit of ours.
        factor=base.factor if unit == base.unit else 1.0,
        known=info.decimals is not None,
    )


@lru_cache(maxsize=4096)
def _described(name: str, said: Metric | None, wanted: units.Units) -> Metric:
    found = said or _native(name)
    scale = units.scale(found.unit, wanted)
    return replace(found, unit=scale.unit, factor=found.factor * scale.factor, offset=scale.offset)


def _native(name: str) -> Metric:
    """As robots measure it."""
    known = METRICS.get(name)
    if known is not None:
        return known
    for ending, unit, decimals in _ENDINGS:
        if name.endswith(ending) and len(name) > len(ending):
            words = _words(name.removesuffix(ending))
            return Metric(name, words, words, unit, decimals)
    words = _words(name)
    return Metric(name, words, words, "", 2)


def _words(name: str) -> str:
    text = name.replace("_", " ").replace("-", " ").strip() or name
    return text[:1].upper() + text[1:]
