"""A page travels compressed where no gateway compresses it; a stream never does."""

import gzip

import pytest

pytestmark = pytest.mark.django_db(databases="__all__")
GZIP = {"Accept-Encoding": "gzip"}


def test_a_page_is_compressed_for_who_takes_it_and_caches_are_told(client, people):
    plain, packed = client.get("/robots/monitor/"), client.get("/robots/monitor/", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.content) < len(plain.content) / 2
    assert b"<h1" in gzip.decompress(packed.content)


def test_a_stream_is_not(client, people):
    answer = client.get("/robots/monitor/stream", headers=GZIP)
    assert answer.streaming
    assert "Content-Encoding" not in answer.headers


def test_a_question_for_the_head_alone_is_answered_as_the_page_is(client, people):
    answer = client.head("/robots/monitor/", headers=GZIP)
    assert answer.status_code == 200
    assert answer.content == b""
