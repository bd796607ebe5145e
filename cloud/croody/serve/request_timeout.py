"""uvicorn's side of a connection in the web role, with an end to its patience: a request is there in time, or its connection closes."""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from croody_contract.connection_limits import Crowd, Visitor, one_address

#: Connections whose request is not there yet: all together, and of one address. Behind the gateway all are of one.
_crowd: Final = Crowd(512, 384)
#: Who has just come is no part of it yet, in seconds: after a restart a thousand come at once, through one gateway, and their requests
#: are here before we have looked.
_GRACE_S: Final = 0.25


class Patient(H11Protocol):
    """`uvicorn.run(http=Patient)`. A head has to be there after `head_s`, and its body after `body_s` more."""

    head_s = 10.0
    body_s = 20.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._visitor: Visitor | None = None
        self._look_at: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It has `head_s` to say what it wants."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        super().data_received(data)
        if not self._is_waiting():
            self._wait_no_more()

    def on_response_complete(self) -> None:
        """The next request may be on its way."""
        super().on_response_complete()
        if self._is_waiting() and self._visitor is None and not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _is_waiting(self) -> bool:
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _wait(self) -> None:
        address = one_address(self.client[0]) if self.client else ""
        self._visitor = Visitor(address, self.loop.time(), self.transport.abort)
        self._look_at = self.loop.call_later(min(_GRACE_S, self.head_s), self._join)

    def _join(self) -> None:
        if self._visitor is None or not self._is_waiting():
            return
        self._look_at = self.loop.call_later(self.head_s - min(_GRACE_S, self.head_s), self._look)
        goes = _crowd.enter(self._visitor)
        if goes is not None:
            goes.abort()

    def _wait_no_more(self) -> None:
        if self._visitor is not None:
            _crowd.leave(self._visitor)
            self._visitor = None
        if self._look_at is not None:
            self._look_at.cancel()
            self._look_at = None

    def _look(self) -> None:
        if self.conn.their_state is h11.SEND_BODY and self._visitor is not None and self.loop.time() - self._visitor.since_s < self.body_s:
            self._look_at = self.loop.call_later(self.body_s, self._look)
        elif self._is_waiting():
            self.transport.abort()
