"""docs/reference/http-api.md and http-api-v1.md: every operation has its section, and its examples do what the page says."""

import json
import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
import pytest

from croody_contract import relay, windows
from tools.stack import ROOT, Options, Ports, Stack

PAGE = "\n".join((ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") for name in ("http-api.md", "http-api-v1.md"))
_EXAMPLE = re.compile(r"^```sh\n(.+?)^```\n```(json|text)\n(.+?)^```$", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:\+00:00|Z)")
#: What a page cannot know: row ids, clocks, folders; and figures that depend on the machine's arithmetic or on when a bucket begins.
_VARIES = frozenset({"id", "at", "mean", "low", "high", "path", "deviation", "drivers"})
#: Answered by the web role, which has no OpenAPI description.
STREAM = "GET /api/telemetry/stream"
SECTIONS: dict[str, str] = dict(re.findall(r"^### `(.+?)`\n(.+?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


class Example(NamedTuple):
    """A command and what it answers."""

    command: str
    kind: str
    answer: str


EXAMPLES = [Example(*found) for found in _EXAMPLE.findall(PAGE)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The roles that answer, one robot that has spoken, and a reading of one that nobody has made."""
    state = tmp_path_factory.mktemp("http-api")
    with Stack(Options(state=state, ports=Ports.free(), robots=0, host=False, replay=False)) as running:
        running.prepare()
        running.start("telemetry", "ids", "web", "worker")
        yield running


@pytest.fixture(scope="module")
def environ(stack: Stack) -> dict[str, str]:
    """The variables of the page."""
    secret = stack.add_robot("amr-01", "--shared")
    make_token = (
        "from django.contrib.auth.models import User; from croody.accounts.services import reset_token; "
        "print(reset_token(User.objects.get(username='operator')))"
    )
    token = stack.manage("shell", "-c", make_token).split()[-1]
    speak(stack)
    stack.add_robot("amr-99")
    verdicts = f"{stack.ids_url}/api/ids/verdicts"
    eventually(lambda: asked(verdicts, token)["verdicts"] and asked(f"{stack.telemetry_url}/api/telemetry/alarms", token))
    return {**os.environ, "API": stack.telemetry_url, "IDS": stack.ids_url, "WEB": stack.web_url, "TOKEN": token, "SECRET": secret}


def speak(stack: Stack) -> None:
    """What the bridge would have carried."""
    row = [40.0, 2.6, 0.9, -0.002, 22.0]
    window = {"kind": "window", "model": "screen-1", "score": 0.93, "suspect": True, "names": list(windows.FEATURES)}
    records = [
        {"kind": "born", "agent": "croody-edge 1.0", "capabilities": ["rotate"]},
        {"kind": "reading", "data": {"motor_temp_c": 41.5, "battery_pct": 87}},
        {"kind": "event", "code": "bumper_hit", "severity": "medium"},
        {**window, "features": [row] * windows.WINDOW_ROWS},
    ]
    batch = relay.BatchItem("amr-01", "Zk3v9mTr0aQ2", 1, [raw(record) for record in records])
    stranger = relay.PlainItem("amr-99", raw({"data": {"temp_c": 21.5}}))
    request = urllib.request.Request(
        f"{stack.telemetry_url}/api/telemetry/bridge/relay",
        data=msgspec.json.encode(relay.Relay(batches=[batch], plain=[stranger])),
        headers={"X-API-Key": stack.secret("BRIDGE_TOKEN")},
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        assert json.load(reply)["acks"][0]["ack"]["stored"] == [[1, 4]]


def raw(record: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(record).encode())


def asked(url: str, token: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers={"X-API-Key": token}), timeout=20) as reply:
        return json.load(reply)


def eventually(holds: Callable[[], Any], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.2)


def differs(said: Any, written: Any, where: str = "") -> str:
    """Where an answer is not what the page says; empty when it is."""
    if written == "…":
        return ""
    if where.rpartition(".")[2] in _VARIES:
        return "" if type(said) is type(written) else f"{where}: {said!r}"
    if isinstance(written, dict) and isinstance(said, dict):
        names = set(written) - {"…"}
        if names - set(said) or ("…" not in written and names != set(said)):
            return f"{where}: {sorted(said)}"
        return next(filter(None, (differs(said[name], written[name], f"{where}.{name}") for name in names)), "")
    if isinstance(written, list) and isinstance(said, list):
        if "…" not in written and len(said) != len(written):
            return f"{where}: {len(said)} of them"
        return next(filter(None, (differs(one, two, f"{where}[]") for one, two in zip(said, written, strict=False))), "")
    if isinstance(written, float) and isinstance(said, float):
        return "" if said == pytest.approx(written, rel=1e-3) else f"{where}: {said}"
    if isinstance(written, str) and isinstance(said, str):
        said, written = _TIME.sub("T", said), _TIME.sub("T", written)
    return "" if said == written and type(said) is type(written) else f"{where}: {said!r}"


def descriptions(stack: Stack) -> list[str]:
    """Where each API describes itself."""
    return [
        f"{stack.telemetry_url}/api/telemetry/openapi.json",
        f"{stack.ids_url}/api/ids/openapi.json",
        f"{stack.web_url}/api/v1/openapi.json",
    ]


@pytest.mark.slow
def test_the_examples_answer_what_the_page_says(environ: dict[str, str]) -> None:
    wrong = []
    for example in EXAMPLES:
        done = subprocess.run(["bash", "-c", example.command], env=environ, capture_output=True, text=True, check=False, timeout=30)
        if example.kind == "json":
            found = differs(json.loads(done.stdout), json.loads(example.answer))
        else:
            said, written = (_TIME.sub("T", re.sub(r"\bid(: |\":)\d+", r"id\1N", text)).strip() for text in (done.stdout, example.answer))
            found = "" if said == written else done.stdout
        wrong += [f"{example.command}{found}\n{done.stdout}"] if found else []
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_every_operation_has_a_section_with_an_example_and_every_section_an_operation(stack: Stack) -> None:
    real = {STREAM}
    for url in descriptions(stack):
        for path, methods in asked(url, "")["paths"].items():
            real |= {f"{method.upper()} {path}" for method in methods}

    assert set(SECTIONS) == real
    assert [name for name, text in SECTIONS.items() if not _EXAMPLE.search(text)] == []


def test_every_section_says_the_scope_that_its_operation_asks_for() -> None:
    from croody.fleet.access import SCOPES, Action
    from tests.cloud.test_who_may import operations

    wrong = []
    for operation in operations():
        section = SECTIONS.get(operation.name.replace("{int:number}", "{number}"))
        if section is not None and operation.rule in set(Action):
            said = re.search(r"\*\*(?:Scope:\*\* |Key and scope:\*\* as for .+?\()`(\w+)`", section)
            wanted = SCOPES[Action(operation.rule)].value
            wrong += [] if said and said[1] == wanted else [f"{operation.name}: {wanted}"]
    assert wrong == []


@pytest.mark.slow
def test_every_parameter_stands_in_the_table_of_its_operation(stack: Stack) -> None:
    absent = []
    for url in descriptions(stack):
        for path, methods in asked(url, "")["paths"].items():
            for method, operation in methods.items():
                rows = "".join(re.findall(r"^\| (.+?) \|", SECTIONS[f"{method.upper()} {path}"], re.MULTILINE))
                wanted = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
                absent += [f"{path}: {name}" for name in wanted if f"`{name}`" not in rows]
    assert absent == []


def test_an_answer_that_is_not_what_a_page_says_is_found() -> None:
    written = {"id": 1, "ts": "2026-11-29T15:48:19.270412+00:00", "data": {"a": 1.5, "…": "…"}, "rows": [{"b": None}, "…"]}
    same = {"id": 9, "ts": "2027-01-01T00:00:00.000001+00:00", "data": {"a": 1.5, "c": 2}, "rows": [{"b": None}, {"d": 1}]}

    assert differs(same, written) == ""
    assert differs({**same, "new": 1}, written).startswith(": ")
    assert differs({**same, "data": {"a": 2.5}}, written) == ".data.a: 2.5"
    assert differs({**same, "rows": [{"b": 0}]}, written) == ".rows[].b: 0"
    assert differs({**same, "id": "9"}, written) == ".id: '9'"
