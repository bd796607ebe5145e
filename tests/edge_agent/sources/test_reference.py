"""Every kind of source and every setting of it is on the reference page, in both languages."""

import re
import tomllib

import msgspec
import pytest

from croody_edge.settings import Settings
from croody_edge.sources import finding
from croody_edge.sources.config import of_table
from croody_edge.sources.shape import MetricShape, Report
from tools.stack import ROOT

PAGES = [ROOT / "docs" / "reference" / name for name in ("sources.md", "sources.es.md")]
PROJECT = tomllib.loads((ROOT / "edge_agent" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Every page with tables of sources on it.
SHOWN = [page for page in (ROOT / "docs").rglob("*.md") if "```toml\n[source." in page.read_text(encoding="utf-8")]
KINDS = sorted(PROJECT["entry-points"]["croody.sources"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_kind_and_every_setting_is_told(page):
    text = page.read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z0-9_]+)` \|", text, re.MULTILINE))
    assert set(KINDS) <= rows
    words = set(re.findall(r"[a-z_0-9]+", text))
    for kind in KINDS:
        fields = msgspec.structs.fields(finding.find(kind, "kind").Settings)
        assert {field.encode_name for field in fields} <= words, kind
    assert {field.encode_name for struct in (Report, MetricShape) for field in msgspec.structs.fields(struct)} <= words


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.name)
def test_every_example_is_one_that_an_agent_takes(page, tmp_path):
    (tmp_path / "plant").write_text("secret")
    for example in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        tables = tomllib.loads(example.replace("/run/secrets/plant", str(tmp_path / "plant")))["source"]
        for name, table in tables.items():
            of_table(Settings("rover-alice", tmp_path), tmp_path / "sources.toml", name, table)


def test_an_extra_is_pinned_with_its_hashes_and_named_as_its_kind():
    for extra, wanted in PROJECT["optional-dependencies"].items():
        assert extra in KINDS
        pinned = (ROOT / "requirements" / f"extra-{extra}.txt").read_text(encoding="utf-8")
        for each in wanted:
            assert re.search(rf"^{re.split('[<>=]', each)[0]}==.*\n +--hash=sha256:", pinned, re.MULTILINE)
