"""The listening program hears the same events, however the answer is cut into chunks and reads."""

from random import Random

import pytest

from tools.bench.work.listen import Chunks, moment


@pytest.mark.parametrize("seed", range(20))
def test_an_answer_is_put_together_however_it_is_cut(seed: int):
    random = Random(seed)
    body = b"".join(b"event: reading\ndata: %d\n\n" % number for number in range(200))
    sent, at = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 0
    while at < len(body):
        part = body[at : at + random.choice([1, 2, 3, 10, 700])]
        sent += b"%x\r\n%b\r\n" % (len(part), part)
        at += len(part)
    chunks, heard, at = Chunks(), b"", 0
    while at < len(sent):
        step = random.choice([1, 2, 3, 5, 50, 4000])
        heard += chunks.body(sent[at : at + step])
        at += step
    assert heard == body


def test_a_reading_is_of_its_ts_and_a_pages_update_of_the_moment_at_which_the_server_looked():
    assert moment(b'event: reading\ndata: {"ts":"2026-11-29T12:00:00Z","now":5}') == 1_795_953_600.0
    assert moment(b'event: page\ndata: {"now":1795953600.25,"deaf_since":null}') == 1_795_953_600.25
    with pytest.raises(ValueError, match="not found"):
        moment(b"event: page\ndata: {}")
