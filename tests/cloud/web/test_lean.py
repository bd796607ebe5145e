"""What the browser gets of our scripts and styles says the same in fewer bytes."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from croody.web import minify
from croody.web.assets import OUR_FOLDERS, Storage

CLOUD = Path(minify.__file__).parents[1]
OURS = [path for kind in ("js", "css") for path in sorted(CLOUD.glob(f"*/static/**/*.{kind}")) if "vendor" not in path.parts]


def test_a_script_loses_remarks_and_indentation_and_nothing_else():
    text = '// Why.\nimport { a } from "./a.js";\n\nfunction f() {\n  // how\n  return `https://${a}/`; // kept\n}\n'
    assert minify.script(text) == 'import { a } from "./a.js";\nfunction f() {\nreturn `https://${a}/`; // kept\n}\n'


def test_a_style_sheet_loses_remarks_and_indentation():
    assert minify.style("/* why\n   so */\n.a {\n  color: red; /* b */\n}\n") == ".a {\ncolor: red;\n}\n"


def test_a_text_over_the_end_of_a_line_is_refused_with_its_remedy():
    with pytest.raises(ValueError, match=r"join pieces with \+"):
        minify.script("const a = `one\n  two`;\n")


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_all_of_ours_can_be_made_lean_and_stays_itself(path):
    text = path.read_text(encoding="utf-8")
    made = minify.script(text) if path.suffix == ".js" else minify.style(text)
    assert len(made) <= len(text)
    assert (minify.script(made) if path.suffix == ".js" else minify.style(made)) == made, "made twice it is the same"
    if path.suffix == ".css":
        # A remark within a text would have been taken for one.
        assert not re.findall(r'"[^"\n]*/\*[^"\n]*"', text)


@pytest.mark.skipif(shutil.which("node") is None, reason="node reads the scripts here")
@pytest.mark.parametrize("path", [path for path in OURS if path.suffix == ".js"], ids=lambda path: path.name)
def test_a_lean_script_is_still_one(path, tmp_path):
    file = tmp_path / "one.mjs"
    file.write_text(minify.script(path.read_text(encoding="utf-8")), encoding="utf-8")
    subprocess.run(["node", "--check", file], check=True, capture_output=True)


def test_files_are_collected_lean_and_those_of_others_as_they_came(tmp_path):
    storage = Storage(location=tmp_path)
    for name in ("web/a.js", "vendor/b.js"):
        storage.save(name, ContentFile(b"// Why.\n  f();\n"))
    assert (tmp_path / "web" / "a.js").read_text() == "f();\n"
    assert (tmp_path / "vendor" / "b.js").read_text() == "// Why.\n  f();\n"


def test_what_is_served_under_a_name_with_a_digest_is_the_whole_lean_file(tmp_path):
    environ = {**os.environ, "CROODY_ROLE": "web", "CROODY_DEMO": "1", "CROODY_STATE_DIR": str(tmp_path), "SECRET_KEY": "any"}
    command = [sys.executable, "-m", "croody.manage", "collectstatic", "--noinput"]
    subprocess.run(command, env=environ, check=True, capture_output=True)
    collected = tmp_path / "static"
    named = json.loads((collected / "staticfiles.json").read_text())["paths"]
    assert len(OURS) > 20
    for path in OURS:
        name = path.relative_to(next(one for one in path.parents if one.name == "static")).as_posix()
        plain, digested = (collected / one for one in (name, named[name]))
        made = minify.script if path.suffix == ".js" else minify.style
        assert plain.read_text() == made(path.read_text()), name
        # Addresses within it have digests, too, so it is no shorter.
        assert plain.stat().st_size <= digested.stat().st_size, name
        packed = digested.with_name(f"{digested.name}.gz")
        assert not packed.exists() or gzip.decompress(packed.read_bytes()) == digested.read_bytes(), name


def test_every_folder_of_static_files_is_known_as_ours_or_others():
    assert {path.name for path in CLOUD.glob("*/static/*")} == OUR_FOLDERS | {"vendor"}
