"""A site beside the broker of this board, as `docs/reference/protocol.md` has it: knows one word, and lets in at the broker by hashes.

python3 site.py serve                  answers one exchange
python3 site.py line ROBOT HASH        from now on the broker takes this one
python3 site.py ask JSON               an `outgoing` to the robot; prints its answer
"""

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

PASSWORDS = Path("/etc/mosquitto/board/passwd")
ROBOT, PORT = "taller-02", 8099


class Exchange(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        line(ROBOT, asked["hashes"]["mqtt_hash"])
        said = json.dumps({"robot_id": ROBOT, "brokers": ["mqtt://127.0.0.1:1883"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: object) -> None:
        pass


def line(robot: str, hashed: str) -> None:
    others = [one for one in PASSWORDS.read_text().splitlines() if not one.startswith(f"{robot}:")]
    PASSWORDS.write_text("\n".join([*others, f"{robot}:{hashed}", ""]))
    subprocess.run(["pkill", "-HUP", "-x", "mosquitto"], check=True)


def ask(outgoing: str) -> str:
    topic = f"croody/v1/{ROBOT}"
    # Accounts are client ids there: who asks and who listens are two.
    hearing = ["mosquitto_sub", "-u", "bridge", "-P", "secret-of-the-bridge", "-t", f"{topic}/up/answer/#", "-C", "1", "-W", "20"]
    asking = ["mosquitto_pub", "-u", "cloud", "-P", "secret-of-the-cloud", "-t", f"{topic}/down/outgoing", "-m", outgoing]
    with subprocess.Popen(hearing, stdout=subprocess.PIPE, text=True) as listener:
        while listener.poll() is None:
            # Again and again, as the cloud does.
            subprocess.run(asking, check=True)
            time.sleep(0.5)
        return (listener.stdout.read() if listener.stdout is not None else "").strip()


if __name__ == "__main__":
    os.umask(0o022)
    match sys.argv[1:]:
        case ["serve"]:
            HTTPServer(("127.0.0.1", PORT), Exchange).handle_request()
        case ["line", robot, hashed]:
            line(robot, hashed)
        case ["ask", outgoing]:
            print(ask(outgoing))
