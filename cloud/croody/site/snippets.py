"""Lines that make something speak to this server, by language. Pure. `mi-robot` and `SECRETO` are the reader's to change."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
ROBOT: Final = "mi-robot"
SECRET: Final = "SECRETO"


@dataclass(frozen=True, slots=True)
class Snippet:
    """`key` names it on the page; `title` is a proper name, the same in every language."""

    key: str
    title: str
    text: str


def all_of(broker: str, api: str, *, robot: str = ROBOT, key: str = SECRET) -> list[Snippet]:
    """For a server whose broker is at this URL and whose API is at that one. `key`: for lines that speak HTTP in the name of `robot`."""
    url = urlsplit(broker)
    host, port, safe = url.hostname or "localhost", url.port or _PORTS.get(url.scheme, 1883), url.scheme in ("mqtts", "wss")
    return [
        Snippet("shell", "Shell", _shell(api, robot, key)),
        Snippet("python", "Python", _python(api, robot, key)),
        Snippet("esp32", "Arduino, ESP32", _esp32(host, port, safe)),
        Snippet("ros2", "ROS 2", _ros2(broker)),
    ]


def _shell(api: str, robot: str, key: str) -> str:
    return f"""curl {api}/api/telemetry/ingest \\
  -H 'X-API-Key: {key}' -H 'Content-Type: application/json' \\
  -d '{{"robot_id": "{robot}", "data": {{"temp_c": 21.5, "battery_pct": 80}}}}'
"""


def _python(api: str, robot: str, key: str) -> str:
    return f"""import json, urllib.request

reading = {{"robot_id": "{robot}", "data": {{"temp_c": 21.5, "battery_pct": 80}}}}
request = urllib.request.Request(
    "{api}/api/telemetry/ingest",
    data=json.dumps(reading).encode(),
    headers={{"X-API-Key": "{key}", "Content-Type": "application/json"}},
)
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""


def _esp32(host: str, port: int, safe: bool) -> str:
    client = "WiFiClientSecure" if safe else "WiFiClient"
    trust = "  net.setCACert(AUTHORITY);  // the certificate of the site's authority, PEM\n" if safe else ""
    return f"""#include <WiFi.h>
{"#include <WiFiClientSecure.h>" if safe else "#include <WiFiClient.h>"}
#include <PubSubClient.h>

{client} net;
PubSubClient mqtt(net);

void setup() {{
  WiFi.begin("my-network", "its-password");
  while (WiFi.status() != WL_CONNECTED) delay(200);
{trust}  mqtt.setServer("{host}", {port});
}}

void loop() {{
  if (!mqtt.connected()) mqtt.connect("{ROBOT}", "{ROBOT}", "{SECRET}");
  mqtt.publish("croody/v1/{ROBOT}/up/telemetry", "{{\\"data\\": {{\\"temp_c\\": 21.5}}}}");
  mqtt.loop();
  delay(5000);
}}
"""


def _ros2(broker: str) -> str:
    return f"""# sources.toml
[source.base]
kind = "ros2"
domain = 0

[[source.base.topics]]
name = "/battery_state"

[[source.base.topics]]
name = "/odom"
every_s = 0.5

# in a shell
export ROBOT_ID={ROBOT} ROBOT_SECRET={SECRET} CROODY_BROKER_URL={broker} CROODY_SOURCES=sources.toml
croody-edge run
"""
