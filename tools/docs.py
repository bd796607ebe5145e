"""`make docs`: says where the documentation is not true: links, files, settings, commands, topics. Names nothing when all is well."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from tools.stack import ROOT, script, source_path
from tools.words import say

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"^\| `([A-Z][A-Z0-9_]+)`", re.MULTILINE)
_OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]+)")
_TOPIC = re.compile(r"croody/v1/[A-Za-z0-9_{}<>/+#-]+")
_INLINE = re.compile(r"`([^`\n]+)`")
_NAMED_FILE = re.compile(r"[\w.*/-]+\.(?:py|sh|js|css|html|svg|cnf|toml|in)")
_MODULE = re.compile(r"(?:croody|croody_edge|croody_broker|croody_contract|tools)(?:\.[a-z_]+)+")
#: What a reader is told to write.
_TO_BE_WRITTEN = {"croody_boiler.py", "rules.toml", "sources.toml"}
#: About the files of the earlier Croody.
_ELSEWHERE = {"docs/reference/from-the-earlier-croody.md", "docs/reference/from-the-earlier-croody.es.md"}

#: Our commands, as a person types them. The last word of `croody` ones is the management command.
COMMANDS = (
    "croody-edge enrol",
    "croody-edge run",
    "croody-edge status",
    "croody-edge doctor",
    "croody-edge check-source",
    "croody-edge check-rules",
    "croody-edge screen",
    "croody-edge profile",
    "croody-edge calibrate",
    "croody-edge bundle",
    "croody-sim",
    "croody-sim attack",
    "croody-broker",
    "croody-broker mosquitto",
    "croody-broker mosquitto-conf",
    "croody-bridge",
)
#: What `make` starts that takes options of its own -> its module.
TOOLS = {"make bench": "tools.bench"}
#: The commands of a server.
WRAPPER = "./croody"


def pages(root: Path = ROOT) -> list[Path]:
    """Every page of the documentation."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def broken_links(files: Iterable[Path]) -> Iterator[str]:
    """Links between pages that lead nowhere. Other sites are not asked."""
    for page in files:
        for target in _LINK.findall(without_fences(page)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            found = (page.parent / name).resolve() if name else page
            if not found.exists():
                yield f"{_short(page)}: {target}: no such file"
            elif anchor and found.suffix == ".md" and anchor not in headings(without_fences(found)):
                yield f"{_short(page)}: {target}: no such heading"


def without_fences(page: Path) -> str:
    """What a page says outside its examples."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def headings(text: str) -> list[str]:
    """What each heading of a page, without its examples, can be linked as."""
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(text))
    return [re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain]


class Asked(dict[str, str]):
    """An environment that remembers which variables it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
        """As a dict's, and remembered."""
        self.names.add(name)
        return super().get(name, default)


def settings_in_code() -> set[str]:
    """Every variable that a part of Croody reads, found by letting it read."""
    from croody.bridge.settings import read as read_bridge
    from croody.env import ROLES
    from croody.env import read as read_cloud
    from croody_edge.balena import plan as read_on_balena
    from croody_edge.enrol import claim_of, serial_of
    from croody_edge.installed import with_settings
    from croody_edge.settings import from_environment as read_edge
    from croody_edge.sim.options import read as read_sim
    from croody_edge.sources.own import from_environment as read_source
    from croody_edge.sources.replay.settings import ReplaySettings

    long = "x" * 60
    readers: list[Callable[[Mapping[str, str]], object]] = [
        read_cloud,
        read_bridge,
        read_edge,
        lambda environ: (claim_of(environ), serial_of(environ, files=())),
        with_settings,
        lambda environ: read_source(ReplaySettings, environ, "CROODY_REPLAY", {}),
        lambda environ: read_sim([], environ),
        lambda environ: (read_on_balena("agent", environ), read_on_balena("simulator", environ)),
    ]
    given = {"SECRET_KEY": long, "BRIDGE_TOKEN": long, "BRIDGE_MQTT_PASSWORD": long, "ROBOT_ID": "robot-a", "ROBOT_SECRET": long}
    names = {"CROODY_ROLE"}
    for read in readers:
        # A role of the cloud reads no secret that it does not need; a part that is no role does not ask.
        for role in ROLES:
            asked = Asked({**given, "CROODY_ROLE": role})
            read(asked)
            names |= asked.names
    # What is also known in small letters is one variable.
    return {name for name in names if name.isupper() and not (name.endswith("_FILE") and name.removesuffix("_FILE") in names)}


def settings_in_docs(root: Path = ROOT) -> set[str]:
    """First columns of the tables in the reference."""
    return set(_VARIABLE.findall((root / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")))


def make_up_variables() -> set[str]:
    """What `make` itself takes; not read by any of our packages."""
    return {"PYTHON", "DB", "BROKER", "ROBOTS", "BRIDGES", "ROUNDS", "ONLY", "QUICK", "CROODY_VENV", "CROODY_TEST_DB"}


def commands() -> tuple[str, ...]:
    """All of ours: the console scripts, the tools behind `make`, and the management commands of our apps."""
    ours = (path.stem for path in (ROOT / "cloud" / "croody").glob("*/management/commands/*.py") if path.stem != "__init__")
    return (*COMMANDS, *TOOLS, *(f"croody {name}" for name in sorted(ours)))


def options_in_code(command: str) -> set[str]:
    """The options that a command's `--help` names, those of its verbs included."""
    program, *words = ["python", "-m", TOOLS[command]] if command in TOOLS else command.split()
    text = _help(program, words)
    verbs = re.search(r"\{([a-z,-]+)\}", text)
    if verbs:
        text += "".join(_help(program, [*words, verb]) for verb in verbs[1].split(",") if verb)
    return set(_OPTION.findall(text)) - {"--help"}


def options_in_docs(text: str) -> dict[str, set[str]]:
    """Command -> the options in its section of the reference."""
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        title, _, body = section.partition("\n")
        found[title.strip().strip("`")] = set(_OPTION.findall(body))
    return found


def wrapper_verbs() -> set[str]:
    """What `./croody help` lists."""
    environ = {**os.environ, "LC_ALL": "C.UTF-8"}
    told = subprocess.run([ROOT / "croody", "help"], env=environ, capture_output=True, text=True, check=True).stdout
    verbs: set[str] = set()
    for line in told.splitlines():
        if line.startswith("./croody "):
            forms = [form.split() for form in line.removeprefix("./croody ").partition("  ")[0].split(" | ")]
            verbs |= {form[0] for form in forms if len(forms[0]) == 1 or form is forms[0]}
    return {verb for verb in verbs if verb.islower()}


def section_words(text: str, command: str) -> set[str]:
    """The words in the first column of the table in a command's section."""
    section = text.partition(f"\n## `{command}`\n")[2].partition("\n## ")[0]
    return {word for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for word in re.findall(r"`([a-z-]+)`", row)}


def topics_in_docs(files: Iterable[Path]) -> Iterator[str]:
    """Topics on the pages that the contract does not know."""
    from croody_contract.topics import BadTopic, parse

    for page in files:
        for topic in _TOPIC.findall(page.read_text(encoding="utf-8")):
            if topic.rstrip("/").endswith(("/up", "/down", "#", "/v1")) or "+" in topic:
                continue
            filled = (
                topic.replace("{stream}", "abcdefgh").replace("{first}-{last}", "1-9").replace("{outgoing_id}", "7").replace("{id}", "7")
            )
            filled = re.sub(r"\{robot_id\}|\bID\b|<[a-z_]+>", "robot-a", filled)
            try:
                parse(filled)
            except BadTopic as error:
                yield f"{_short(page)}: {topic}: {error}"


def repository() -> set[str]:
    """Every file and folder of this clone, new ones too, as a path from its root."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [Path(name) for name in listed if (ROOT / name).exists()]
    return {str(path) for file in files for path in (file, *file.parents)} - {"."}


def gone_files(files: Iterable[Path], known: set[str]) -> Iterator[str]:
    """Files, folders and modules that a page or a comment names and the clone lacks. A name may be the end of a path (`worker/jobs.py`),
    and a word in capitals stands for others.
    """
    ends = {name[start:] for name in known for start in (0, *(at.end() for at in re.finditer("/", name)))}
    tops = {name.partition("/")[0] for name in known if "/" in name}
    dotted = {end.removesuffix(".py").replace("/", ".") for end in ends}
    modules = {end.removesuffix(".py").replace("/", ".") for end in ends if end.endswith(".py")}
    for page in files:
        if _short(page) in _ELSEWHERE:
            continue
        for text in _INLINE.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            path = text.rstrip("/")
            named = _NAMED_FILE.fullmatch(path) or (re.fullmatch(r"[\w./-]+", path) and path.partition("/")[0] in tops and "/" in path)
            if named and path not in ends | _TO_BE_WRITTEN and not _fits_one(path, ends):
                yield f"{_short(page)}: {text}: no such file"
            # Behind a module may stand a class or a function.
            elif _MODULE.fullmatch(text) and text not in dotted and text.rpartition(".")[0] not in modules:
                yield f"{_short(page)}: {text}: no such module"


def _fits_one(path: str, ends: set[str]) -> bool:
    pattern = re.sub(r"\b[A-Z]{2,}\b", "*", path)
    return "*" in pattern and any(fnmatch(name, pattern) for name in ends)


def sources(known: set[str]) -> list[Path]:
    """Code with comments: not tests, which name what is not there on purpose, nor what others wrote."""
    kinds = (".py", ".sh", ".yml", ".conf", ".js", ".html", "Dockerfile", "Makefile")
    return [ROOT / name for name in sorted(known) if name.endswith(kinds) and not name.startswith("tests/") and "/vendor/" not in name]


def findings() -> list[str]:
    """Everything that is not true."""
    files, known = pages(), repository()
    found = [*broken_links(files), *gone_files([*files, *sources(known)], known)]
    documented, read = settings_in_docs(), settings_in_code() | make_up_variables()
    found += [f"docs/reference/settings.md: {name} is read and not documented" for name in sorted(read - documented)]
    found += [f"docs/reference/settings.md: {name} is documented and nothing reads it" for name in sorted(documented - read)]
    text = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    described = options_in_docs(text)
    for command in commands():
        if command not in described:
            found.append(f"docs/reference/commands.md: {command} is not documented")
            continue
        real = options_in_code(command)
        found += [f"docs/reference/commands.md: {command} takes {option}: not documented" for option in sorted(real - described[command])]
        found += [f"docs/reference/commands.md: {command} does not take {option}" for option in sorted(described[command] - real)]
    gone = set(described) - set(commands()) - {"make", WRAPPER}
    found += [f"docs/reference/commands.md: {command}: no such command" for command in sorted(gone)]
    verbs, told = wrapper_verbs(), section_words(text, WRAPPER)
    found += [f"docs/reference/commands.md: {WRAPPER} {verb} is not documented" for verb in sorted(verbs - told)]
    found += [f"docs/reference/commands.md: {WRAPPER} {verb}: no such command" for verb in sorted(told - verbs - {"dead"})]
    return found + list(topics_in_docs(files))


def main() -> int:
    """Print what was found; the exit status is 0 when there was nothing."""
    found = findings()
    print(*found, sep="\n", end="\n" if found else "")
    count = len(found)
    say(f"documentación: {count} hallazgos en {len(pages())} páginas", f"documentation: {count} findings on {len(pages())} pages")
    return 1 if found else 0


def _short(page: Path) -> str:
    return str(page.relative_to(ROOT) if page.is_relative_to(ROOT) else page.name)


def _help(program: str, words: list[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="croody-docs-") as folder:
        environ = {
            **os.environ,
            "PYTHONPATH": source_path(),
            "SECRET_KEY": "x" * 60,
            "CROODY_STATE_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/none.db",
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
        }
        done = subprocess.run([script(program), *words, "--help"], env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
