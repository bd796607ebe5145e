"""Stands in for docker: writes down what it is asked, and answers what the test says in `answers` (pattern, output, exit status)."""

import json
import os
import re
import sys
from pathlib import Path

folder = Path(__file__).parent
asked = " ".join(sys.argv[1:])
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
