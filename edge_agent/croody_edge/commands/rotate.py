"""`rotate`: the board makes a new secret, and comes in by it. The secret itself never leaves the board.

The cloud asks again until it hears `done`, so every answer is made of how it stands now, and none is lost for good.
"""

from typing import Any

import msgspec

from croody_contract.claims import hashes_of
from croody_contract.messages import Answer, Rotate
from croody_edge.keyring import Keyring
from croody_edge.variables import BadSetting


class RotateCommand:
    """Changes what is in the keyring; the link comes in by it when the broker no longer takes the other one."""

    #: The cloud knows when it is too late, and a robot's clock may be years ahead.
    expires = False

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def do(self, payload: dict[str, Any], now: float, mono_s: float) -> Answer:
        """See `Command.do`."""
        try:
            asked = msgspec.convert(payload, Rotate)
        except msgspec.ValidationError as error:
            raise ValueError(f"payload: {error}") from error
        made = self._keyring.made_for(asked.rotation)
        if made is not None and made == self._keyring.live:
            return Answer(state="done", detail="connected with the new secret")
        try:
            made = made or self._keyring.make(asked.rotation)
        except (OSError, BadSetting) as error:
            return Answer(state="refused", detail=f"the new secret cannot be kept on this board: {error}"[:1000])
        return Answer(state="received", hashes=hashes_of(made))
