"""Stands in for docker: writes down what it is asked, and answers what the test says in `answers` (pattern, output, exit status).

Of the containers in `containers` it says what docker and Compose say: Compose's ps lists those of `run` too when -a or --status is given.
"""

import json
import os
import re
import sys
from pathlib import Path

folder = Path(__file__).parent
words = sys.argv[1:]
asked = " ".join(words)
containers = json.loads((folder / "containers").read_text())


def compose_ps() -> list[dict[str, str]]:
    """Those that `compose ps` is about."""
    services = [word for word in words[-1:] if re.fullmatch("(?!running|ps$)[a-z][a-z-]*", word)]
    return [
        container
        for container in containers
        if (container["state"] == "running" or "-a" in words or "-aq" in words)
        and (container["oneoff"] == "False" or {"-a", "-aq", "--status"} & {*words})
        and (not services or container["service"] in services)
    ]


def docker_ps() -> list[dict[str, str]]:
    """Those that `docker ps` is about: the newest first."""
    wanted = dict(re.findall(r"(?:label=com\.docker\.compose\.)?(\w+)=(\S+)", asked))
    project = os.environ.get("COMPOSE_PROJECT_NAME", "croody")
    return [
        container
        for container in reversed(containers)
        if ("-a" in words or "-aq" in words or container["state"] == "running")
        and all({**container, "project": project, "status": container["state"]}[name] == value for name, value in wanted.items())
    ]


with (folder / "calls").open("a") as calls:
    calls.write(asked + "\n")
for pattern, output, status in json.loads((folder / "answers").read_text()):
    if re.search(pattern, asked):
        print(output, end="", file=sys.stderr if status else sys.stdout)
        sys.exit(status)
if asked == "compose -f - config --format json":
    # What Compose makes of the wrapper's settings, where there is no .env.
    names = re.findall(r'^      (\w+): "\$\{\1:-\}"$', sys.stdin.read(), re.MULTILINE)
    print(json.dumps({"services": {"asked": {"labels": {name: os.environ.get(name, "").replace("$", "$$") for name in names}}}}, indent=2))
elif words[0] == "ps" or words[:2] == ["compose", "ps"]:
    for found in docker_ps() if words[0] == "ps" else compose_ps():
        if {"-q", "-aq"} & {*words}:
            print(found["id"])
        elif "working_dir" in asked:
            print(found["folder"])
        else:
            print(found["service"], *([] if "--services" in words or "}} {{" not in asked else [found["state"]]))
