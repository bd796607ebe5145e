"""`croody ids`: what the detector makes of a capture, and what is ordinary at a site."""

import hashlib
import json
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
from croody.fleet.models import Site
from croody.web import command
from croody_contract.flows import calibration, capture, records
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.limits import RULES, Maxima, limit_of
from croody_contract.flows.meter import Look, Meter


class Command(command.Command):
    """Detection by hand."""

    about = gettext_lazy(
        "detección: incidents (qué intrusos hay en una captura), classify (qué es cada flujo), calibrate (qué es lo habitual en tu red) "
        "y evaluate (qué encuentra, medido)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One verb each."""
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="{incidents,classify,calibrate,evaluate}")
        incidents = verbs.add_parser("incidents", help=_("los incidentes de una captura pcap o pcapng"))
        classify = verbs.add_parser(
            "classify", help=_("los flujos de una captura, cada uno con su clase: lo que hace su aparato con flujos así")
        )
        for verb in (incidents, classify):
            verb.add_argument("--pcap", metavar="FILE", type=Path, required=True, action="append", help=_("la captura; se puede repetir"))
            verb.add_argument("--calibration", metavar="FILE", type=Path, help=_("lo que calibrate escribió; sin él valen los mínimos"))
            verb.add_argument("--json", action="store_true", help=_("un objeto JSON por línea"))
        calibrate = verbs.add_parser("calibrate", help=_("lo más alto del tráfico habitual, como límites: al menos cuatro minutos"))
        calibrate.add_argument("--pcap", metavar="FILE", type=Path, required=True, action="append", help=_("la captura; se puede repetir"))
        calibrate.add_argument("--out", metavar="FILE", type=Path, help=_("dónde se guarda"))
        calibrate.add_argument("--site", metavar="SITE", help=_("el sitio del que vale desde ahora, por su nombre corto"))
        calibrate.add_argument("--organisation", metavar="NAME", help=_("la organización del sitio, si hay varias con uno así"))
        calibrate.add_argument("--robot", metavar="ID", default="", help=_("solo para la red de este robot del sitio"))

        evaluate = verbs.add_parser("evaluate", help=_("lo que encuentra en sesiones de laboratorio, y las páginas con las cifras"))
        captures = _("carpeta de las capturas; las que faltan se hacen con croody-sim")
        evaluate.add_argument("--captures", metavar="DIR", type=Path, required=True, help=captures)
        evaluate.add_argument(
            "--set", choices=plan.SETS, action="append", help=_("qué se mide: {sets}; sin ella todo").format(sets=", ".join(plan.SETS))
        )
        evaluate.add_argument("--page", metavar="FILE", type=Path, help=_("página que se escribe"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        try:
            getattr(self, f"_{options['verb']}")(options)
        except (capture.NoCapture, calibration.Refused, plan.NoLaboratory, sessions.NoSession) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error

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
        maxima, now = calibration.measure(looks(options["pcap"])), timezone.now()
        text = calibration.render(maxima, {path.name: _hash_of(path) for path in options["pcap"]}, now)
        if options["out"] is not None:
            _write(options["out"], text)
        if site is not None:
            calibrations.keep(site, options["robot"], text.encode(), actor=command_actor(), now=now)
        for rule in RULES:
            limit, most = limit_of(rule, maxima)
            self.stdout.write(f"{rule.code:18} {rule.counter.value:16} {rule.seconds:3} s  {most or 0:8}  → {limit}")

    def _evaluate(self, options: dict[str, Any]) -> None:
        results: dict[str, list[sessions.Result]] = {}
        for name in options["set"] or plan.SETS:
            # Headers alone are a gate of what was held out; a site that is seen so is calibrated so.
            for view in (name, f"{name}/headers") if name == "held_out" else (name,):
                blind = view != name
                for wanted in plan.sessions(name, options["captures"]):
                    result = sessions.judged(sessions.load(wanted.path), self._ordinary(wanted.calibration, blind=blind), blind=blind)
                    results.setdefault(view, []).append(result)
                    self.stdout.write(_line(view, result))
        text = page.render(results, plan.protocol()["gates"], f"{timezone.now():%Y-%m-%d}, {len(RULES)} rules")
        if options["page"]:
            _write(options["page"], text)
        else:
            self.stdout.write(text)

    def _ordinary(self, path: Path, *, blind: bool) -> Maxima | None:
        """What is ordinary; a site that is refused is judged by the floors, as it would be."""
        try:
            return sessions.ordinary(path, blind=blind)
        except calibration.Refused as error:
            self.stdout.write(f"{path.name}: {error}: judged by the floors alone")
            return None


def _line(view: str, result: sessions.Result) -> str:
    named = sum(one.after_s is not None for one in result.named)
    return f"{view:18} {result.session:18} {named} of {len(result.named)} named, {len(result.for_nothing)} false in {result.hours:.1f} h"


def _site(slug: str, organisation: str | None) -> Site:
    """Raises CommandError when there is none, or more than one."""
    found = Site.objects.filter(slug=slug)
    if organisation is not None:
        found = found.filter(organisation__slug=organisation)
    sites = list(found[:2])
    if len(sites) != 1:
        text = _("sitio %(slug)s: hay varios, di de qué organización con --organisation") if sites else _("sitio %(slug)s: no hay ninguno")
        raise CommandError(text % {"slug": slug})
    return sites[0]


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
