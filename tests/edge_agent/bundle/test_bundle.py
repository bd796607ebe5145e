"""`croody-edge bundle`: everything that helps, and no secret in whatever way it is written."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from croody_edge.bundle import archive, masking
from croody_edge.bundle.masking import MASK, Masking
from croody_edge.local.socket import ask
from tests.broker.house import wait_until

PROGRAM = str(Path(sys.executable).with_name("croody-edge"))

SECRETS = {
    "robot": "rs-Kq81/xx+77==",
    "proxy": "pr@xy w:rd!",
    "token": "tok-5511-aa",
    "source": "src-pass-9",
    "source file": "src-file-10",
    "address": "adr-pass-11",
    "other": "oth-secret-12",
    "enrolled": "enr-secret-14",
    "rule": "rule-token-15",
    "webhook": "T0C4-B9S2-webhook-16",
    "command": "argument-secret-17",
}


def environment(folder: Path) -> dict[str, str]:
    secret = folder / "ROBOT_SECRET"
    secret.write_text(SECRETS["robot"] + "\n")
    (folder / "password").write_text(SECRETS["source file"])
    edge = folder / "edge"
    edge.mkdir()
    (edge / "sources.toml").write_text(
        f'[source.host]\n\n[source.a]\nkind = "nothing"\npassword = "{SECRETS["source"]}"\n'
        f'url = "mqtt://someone:{SECRETS["address"]}@10.0.0.1:1883"\n\n'
        f'[source.b]\nkind = "nothing"\npassword_file = "{folder}/password"\n'
    )
    (edge / "rules.toml").write_text(
        f'[rule.hot]\nmetric = "temp_c"\nabove = 30\ntoken = "{SECRETS["rule"]}"\n'
        f'webhook = "https://hooks.example/services/{SECRETS["webhook"]}?x=1"\n'
        f'[rule.cold]\nmetric = "temp_c"\nbelow = 3\ncommand = ["/usr/bin/tell", "--with", "{SECRETS["command"]}"]\n'
    )
    (edge / "enrolling.json").write_text(json.dumps({"claim": "0" * 64, "secret": SECRETS["enrolled"]}))
    (edge / "notes.txt").write_text(SECRETS["enrolled"])
    return {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "LANG": "C.UTF-8",
        "ROBOT_ID": "rover-alice",
        "ROBOT_SECRET_FILE": str(secret),
        "CROODY_BROKER_URL": "mqtts://broker.example:8883",
        "CROODY_EDGE_DIR": str(edge),
        "HTTPS_PROXY": f"http://somebody:{quote(SECRETS['proxy'], safe='')}@127.0.0.1:9",
        "TG_INGEST_TOKEN": SECRETS["token"],
        "CROODY_SOMETHING_PASSWORD": SECRETS["other"],
        "AWS_SECRET_ACCESS_KEY": "not-ours-13",
    }


def files_of(data: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read().decode() for member in tar}  # type: ignore[union-attr]


def written(secret: str) -> set[str]:
    """The ways in which it might be there."""
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], b64encode(secret.encode()).decode().rstrip("=")}


def leaks(files: dict[str, str]) -> list[tuple[str, str]]:
    known = [*SECRETS.values(), "not-ours-13", f"somebody:{SECRETS['proxy']}"]
    return [(name, form) for name, said in files.items() for secret in known for form in written(secret) if form in said]


def test_it_holds_what_helps_and_none_of_the_secrets(tmp_path: Path) -> None:
    env = environment(tmp_path)
    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: (state := ask(tmp_path / "edge")) is not None and state.pending > 2 and state.log, 30)
        done = subprocess.run([PROGRAM, "bundle"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.glob("croody-edge-rover-alice-*.tar.gz")
    assert str(made.name) in done.stdout
    assert made.stat().st_mode & 0o777 == 0o600
    files = files_of(made.read_bytes())

    assert leaks(files) == []
    assert sorted(files) == [
        f"croody-edge/{name}"
        for name in ("README.txt", "agent.json", "doctor.json", "log.txt", "outbox.json", "rules.json", "settings.json",
                     "sources.json", "system.json", "versions.json")
    ]  # fmt: skip
    settings = json.loads(files["croody-edge/settings.json"])
    assert settings["HTTPS_PROXY"] == f"http://{MASK}@127.0.0.1:9"
    assert settings["CROODY_SOMETHING_PASSWORD"] == settings["TG_INGEST_TOKEN"] == MASK
    assert settings["CROODY_BROKER_URL"] == "mqtts://broker.example:8883"
    assert "AWS_SECRET_ACCESS_KEY" not in settings
    assert json.loads(files["croody-edge/sources.json"])["source"]["a"]["password"] == MASK
    rules = json.loads(files["croody-edge/rules.json"])["rule"]
    assert (rules["hot"]["above"], rules["hot"]["webhook"], rules["hot"]["token"]) == (30, "https://hooks.example/...", MASK)
    assert rules["cold"]["command"] == ["/usr/bin/tell", "..."]
    assert json.loads(files["croody-edge/versions.json"])["packages"]["msgspec"]
    assert json.loads(files["croody-edge/outbox.json"])["streams"]
    assert "cpu_temp_c" not in files["croody-edge/agent.json"] or '"values": [' in files["croody-edge/agent.json"]
    assert "nothing" in files["croody-edge/log.txt"], "the log of the running agent: why a source was left out"
    assert any(finding["check"] == "tcp" or finding["check"] == "name" for finding in json.loads(files["croody-edge/doctor.json"]))


def test_it_goes_to_standard_output_and_never_over_a_file(tmp_path: Path) -> None:
    env = environment(tmp_path)
    env["CROODY_QOS"] = "7"
    done = subprocess.run([PROGRAM, "bundle", "--out", "-"], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert leaks(files_of(done.stdout)) == []
    (tmp_path / "there").write_text("mine")
    done = subprocess.run([PROGRAM, "bundle", "--out", str(tmp_path / "there")], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 75
    assert (tmp_path / "there").read_text() == "mine"


@given(secret=st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=4, max_size=40), around=st.text(max_size=20))
def test_a_known_secret_is_found_however_it_is_written(secret: str, around: str) -> None:
    mask = Masking([secret])
    for form in written(secret):
        if len(form) >= 4:
            assert form not in mask(f"{around} {form} {around}").replace(MASK, "\0")


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("lost wss://user:hunter2@host/mqtt", "hunter2"),
        ("GET /x?token=hunter2&limit=3", "hunter2"),
        ("Proxy-Authorization: Basic aHVudGVyMg==", "aHVudGVyMg"),
        ('{"X-API-Key": "hunter2"}', "hunter2"),
        ("http://a:p@ss/w0rd@host:1", "p@ss"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_though_nobody_knows_it(said: str, hidden: str) -> None:
    assert hidden not in Masking([])(said)


def test_a_name_tells_a_secret_and_a_path_is_none() -> None:
    for name in ("ROBOT_SECRET", "TG_INGEST_TOKEN", "password", "api_key", "key", "CROODY_CLAIM", "private_key"):
        assert masking.is_secret(name), name
    for name in ("ROBOT_SECRET_FILE", "CROODY_KEEPALIVE_S", "ROBOT_ID", "keyboard"):
        assert not masking.is_secret(name), name


def test_it_stays_small_whatever_the_board_says() -> None:
    long = "x" * (3 << 20) + "the end"
    cut = archive._cut(long)
    assert len(cut) <= 1 << 20
    assert cut.endswith("the end")
    packed = files_of(archive._packed({str(n): "y" * (1 << 20) for n in range(9)}, 0))
    assert sum(map(len, packed.values())) <= archive.MOST_BYTES
