"""A bridge as anybody would write it by hand: paho, and COPY of whatever is queued. No accounts, ledger, checks or acknowledgement.

Argument: `port`, `topic`, `postgres` (address), `table`. Ends with SIGTERM.
"""

import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

_MOST = 2_000


def main() -> None:
    """Carry messages until told to end."""
    wanted = json.loads(sys.argv[1])
    waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def write() -> None:
        with psycopg.connect(wanted["postgres"]) as server, server.cursor() as cursor:
            while True:
                rows = [waiting.get()]
                while len(rows) < _MOST and not waiting.empty():
                    rows.append(waiting.get())
                with cursor.copy(f"COPY {wanted['table']} (robot_id, data) FROM STDIN") as copy:
                    for topic, payload in rows:
                        # The reading's own object goes in as it came, without a look inside.
                        inner = payload[payload.index(b'"data":') + 7 : payload.index(b"}") + 1]
                        copy.write_row((topic.split("/")[2], inner.decode()))
                server.commit()

    threading.Thread(target=write, daemon=True).start()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "hand-bridge", protocol=mqtt.MQTTv311)
    client.on_message = lambda _, __, message: waiting.put((message.topic, bytes(message.payload)))
    client.on_subscribe = lambda *_: print("listening", flush=True)
    client.connect("127.0.0.1", wanted["port"])
    client.subscribe(wanted["topic"], qos=1)
    client.loop_forever()


if __name__ == "__main__":
    main()
