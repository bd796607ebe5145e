"""`croody ids`: what the detector makes of a capture, and what is ordinary at a site."""

import hashlib
import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.audit.actor import command_actor
from croody.detection.evaluation import page, plan, sessions
from croody.detection.incidents import calibrations
from croody.detection.sensor.interface import Interface
from croody.detection.site_models import verbs as verbs_of_models
from croody.detection.site_models.fit import TooLittle
from croody.detection.site_models.refusal import Refused
from croody.fleet import sites
from croody.fleet.models import Site
from croody.web import command
from croody_contract.flows import calibration, capture, live, records
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.limits import RULES, Maxima, limit_of
from croody_contract.flows.meter import Look, Meter


class Command(command.Command):
    """Detection by hand."""

    about = gettext_lazy(
        "detección: incidents (qué intrusos hay en una captura), classify (qué es cada flujo), calibrate (qué es lo habitual en tu red), "
        "confirm (lo habitual sigue valiendo), evaluate (qué encuentra, medido), train y models (modelos de tus propios datos)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb each."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="{incidents,classify,calibrate,confirm,evaluate,train,models}")
        incidents = verbs.add_parser("incidents", help=_("los incidentes de una captura pcap o pcapng"))
        classify = verbs.add_parser(
            "classify", help=_("los flujos de una captura, cada uno con su clase: lo que hace su aparato con flujos así")
        )
        for verb in (incidents, classify):
            verb.add_argument("--pcap", metavar="FILE", type=Path, required=True, action="append", help=_("la captura; se puede repetir"))
            verb.add_argument("--calibration", metavar="FILE", type=Path, help=_("lo que calibrate escribió; sin él valen los mínimos"))
            verb.add_argument("--json", action="store_true", help=_("un objeto JSON por línea"))
        calibrate = verbs.add_parser("calibrate", help=_("lo más alto del tráfico habitual, como límites: al menos cuatro minutos"))
        what = calibrate.add_mutually_exclusive_group(required=True)
        what.add_argument("--pcap", metavar="FILE", type=Path, action="append", help=_("la captura; se puede repetir"))
        what.add_argument("--live", metavar="TIME", help=_("escucha la red desde ahora tanto tiempo: 15m, 900s o 1h"))
        calibrate.add_argument("--interface", metavar="NAME", default="eth0", help=_("la interfaz que se escucha; sin ella eth0"))
        calibrate.add_argument(
            "--merge", action="store_true", help=_("lo suma a lo habitual que ya se conoce: de cada contador queda lo más alto")
        )
        calibrate.add_argument("--out", metavar="FILE", type=Path, help=_("dónde se guarda"))
        calibrate.add_argument("--site", metavar="SITE", help=_("el sitio del que vale desde ahora, por su nombre corto"))
        confirm = verbs.add_parser("confirm", help=_("lo habitual de un sitio sigue valiendo, con los robots y servidores que hay ahora"))
        confirm.add_argument("--site", metavar="SITE", required=True, help=_("el sitio, por su nombre corto"))
        for verb in (calibrate, confirm):
            verb.add_argument("--organisation", metavar="NAME", help=_("la organización del sitio, si hay varias con uno así"))
            verb.add_argument("--robot", metavar="ID", default="", help=_("solo para la red de este robot del sitio"))

        evaluate = verbs.add_parser("evaluate", help=_("lo que encuentra en sesiones de laboratorio, y las páginas con las cifras"))
        captures = _("carpeta de las capturas; las que faltan se hacen con croody-sim")
        evaluate.add_argument("--captures", metavar="DIR", type=Path, required=True, help=captures)
        evaluate.add_argument(
            "--set", choices=plan.SETS, action="append", help=_("qué se mide: {sets}; sin ella todo").format(sets=", ".join(plan.SETS))
        )
        evaluate.add_argument("--reading", choices=tuple(plan.READINGS), default="first", help=_("qué lectura del protocolo"))
        evaluate.add_argument("--page", metavar="FILE", type=Path, help=_("página que se escribe"))
        verbs_of_models.add_arguments(verbs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        try:
            getattr(self, f"_{options['verb']}")(options)
        except (capture.NoCapture, calibration.Refused, plan.NoLaboratory, sessions.NoSession, TooLittle, Refused) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error

    def _incidents(self, options: dict[str, Any]) -> None:
        maxima = _read(options["calibration"]) if options["calibration"] else None
        found = Incidents(maxima)
        for look in looks(options["pcap"]):
            for incident in found.take(look):
                self._show(incident, as_json=options["json"])
        for incident in found.end():
            self._show(incident, as_json=options["json"])

    def _show(self, incident: Incident, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(incident.as_json()))
            return
        self.stdout.write(incident.as_line())

    def _classify(self, options: dict[str, Any]) -> None:
        maxima = _read(options["calibration"]) if options["calibration"] else None
        for path in options["pcap"]:
            with path.open("rb") as stream:
                for flow in records.classify(capture.read(stream), maxima):
                    self.stdout.write(json.dumps(flow.as_json()) if options["json"] else flow.as_line())

    def _calibrate(self, options: dict[str, Any]) -> None:
        if options["out"] is None and options["site"] is None:
            raise CommandError(_("di dónde se guarda: --out FILE, --site SITE o los dos"))
        site = _site(options["site"], options["organisation"]) if options["site"] is not None else None
        measured, made_of = _measured(options)
        now = timezone.now()
        for out, place in ((options["out"], None), (None, site)):
            if out is None and place is None:
                continue
            text = calibration.joined(_known(options, out, place), measured.maxima, made_of, now)
            if out is not None:
                _write(out, text)
            if place is not None:
                calibrations.keep(place, options["robot"], text.encode(), actor=command_actor(), now=now)
            maxima = calibration.parse(text, "calibration")
        if measured.left_out is not None:
            device, what = measured.left_out
            text = _("%(device)s se deja fuera (%(what)s): lo habitual es lo de los demás")
            self.stdout.write(text % {"device": device, "what": what})
        for rule in RULES:
            limit, most = limit_of(rule, maxima)
            self.stdout.write(f"{rule.code:18} {rule.counter.value:16} {rule.seconds:3} s  {most or 0:8}  → {limit}")

    def _confirm(self, options: dict[str, Any]) -> None:
        site = _site(options["site"], options["organisation"])
        found = calibrations.confirm_place(site, options["robot"], actor=command_actor(), now=timezone.now())
        day = f"{found.row.made_at:%Y-%m-%d}"
        text = _("%(site)s: sigue valiendo lo habitual que se midió el %(day)s") % {"site": site.slug, "day": day}
        if found.newer:
            text += _("; también con lo que vino después: %(robots)s") % {"robots": ", ".join(found.newer)}
        self.stdout.write(text)

    def _evaluate(self, options: dict[str, Any]) -> None:
        results: dict[str, list[sessions.Result]] = {}
        reading = options["reading"]
        for name in [name for name in plan.READINGS[reading] if name in (options["set"] or plan.SETS)]:
            # Headers alone are a gate of what was held out; a site that is seen so is calibrated so.
            for view in (name, f"{name}/headers") if name == "held_out" else (name,):
                blind = view != name
                for wanted in plan.sessions(name, options["captures"], reading):
                    result = sessions.judged(sessions.load(wanted.path), self._ordinary(wanted.calibration, blind=blind), blind=blind)
                    results.setdefault(view, []).append(result)
                    self.stdout.write(_line(view, result))
        text = page.render(results, plan.protocol()["gates"], f"{timezone.now():%Y-%m-%d}, {len(RULES)} rules", reading)
        if options["page"]:
            _write(options["page"], text)
        else:
            self.stdout.write(text)

    def _train(self, options: dict[str, Any]) -> None:
        verbs_of_models.train(options, self.stdout.write)

    def _models(self, options: dict[str, Any]) -> None:
        verbs_of_models.models(options, self.stdout.write)

    def _ordinary(self, path: Path, *, blind: bool) -> Maxima | None:
        """What is ordinary; a site that is refused is judged by the floors, as it would be."""
        try:
            return sessions.ordinary(path, blind=blind)
        except calibration.Refused as error:
            self.stdout.write(f"{path.name}: {error}: judged by the floors alone")
            return None


def _measured(options: dict[str, Any]) -> tuple[calibration.Measured, dict[str, bytes]]:
    """What is ordinary in captures, or on the network from now on; and what it is made of."""
    if options["live"] is None:
        return calibration.measure(looks(options["pcap"])), {path.name: _hash_of(path) for path in options["pcap"]}
    seconds, name = live.seconds_of(options["live"]), options["interface"]
    interface = Interface(name)
    try:
        heard = live.Listening(interface.frames, time.time_ns, seconds)
        measured = calibration.measure(heard.looks())
    finally:
        interface.close()
    return measured, {f"{name} {timezone.now():%Y-%m-%dT%H:%M:%SZ}": heard.digest}


def _known(options: dict[str, Any], out: Path | None, site: Site | None) -> calibration.Calibration | None:
    """What it is added to; nothing where nothing is known yet."""
    if not options["merge"]:
        return None
    if site is not None:
        return calibrations.newest(site, options["robot"])
    assert out is not None
    return calibration.read(out.read_bytes(), str(out)) if out.exists() else None


def _line(view: str, result: sessions.Result) -> str:
    named = sum(one.after_s is not None for one in result.named)
    return f"{view:18} {result.session:18} {named} of {len(result.named)} named, {len(result.for_nothing)} false in {result.hours:.1f} h"


def _site(slug: str, organisation: str | None) -> Site:
    """Raises CommandError when there is none, or more than one."""
    try:
        return sites.named(slug, organisation)
    except sites.NoSuchSite as error:
        raise CommandError(str(error)) from error


def _read(path: Path) -> Maxima:
    with path.open("rb") as file:
        return calibration.parse(file.read(calibration.MAX_BYTES), str(path))


def _write(path: Path, content: str) -> None:
    """Whole, or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(content, encoding="utf-8")
    beside.replace(path)


def _hash_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def looks(files: list[Path]) -> Iterator[Look]:
    """Of several captures, one after the other, each counted for itself."""
    for path in files:
        meter = Meter()
        with path.open("rb") as stream:
            for frame in capture.read(stream):
                yield from meter.take(frame)
        yield from meter.end()
