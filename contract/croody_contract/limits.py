"""Every limit that two parts must agree on. Knows numbers only; who enforces them says so in its own docstring."""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

#: Largest MQTT publish, in bytes. Engines that Croody grows onto close the connection above their own limit.
MAX_PUBLISH_BYTES: Final = 256 * KIB
#: Largest body that any HTTP endpoint reads, in bytes (413 above it).
MAX_BODY_BYTES: Final = 1 * MIB
#: Largest body after decompression, in bytes: a gzip bomb stops here.
MAX_DECOMPRESSED_BYTES: Final = 4 * MIB
#: Deepest nesting of a JSON body.
MAX_NESTING: Final = 32
#: Most records in one batch.
MAX_RECORDS: Final = 500
#: Largest single encoded record, in bytes.
MAX_RECORD_BYTES: Final = 64 * KIB
#: Largest picture: its base64 fits into one record. And the longest side of it.
MAX_PICTURE_BYTES: Final = 44 * KIB
MAX_PICTURE_PIXELS: Final = 4096
#: Of one camera a picture is kept at most so often, in seconds.
PICTURE_EVERY_S: Final = 10.0
#: Lines of an agent's log in one answer.
MAX_LOG_LINES: Final = 200
#: Most metrics in one reading.
MAX_METRICS: Final = 256
#: Longest metric name and longest text value, in characters.
MAX_NAME_CHARS: Final = 64
MAX_TEXT_CHARS: Final = 1024
#: Largest sequence number: every JSON reader holds it exactly.
MAX_SEQ: Final = 2**53 - 1
#: Acknowledgements may be merged for this long, in seconds.
ACK_MERGE_S: Final = 0.2
#: A rotation that is not done after this long never was, in seconds.
ROTATION_S: Final = 600.0
#: A gap becomes an alarm after this long, in seconds.
GAP_ALARM_AFTER_S: Final = 60.0
#: What an event told and still holds is told again after this long, in seconds: four times before its alarm ends for want of news.
SAID_AGAIN_S: Final = 6 * 3600.0
#: A `ts` later than the receipt by more than this is a wrong clock, in seconds.
CLOCK_AHEAD_S: Final = 300.0
