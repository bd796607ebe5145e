"""Pictures of cameras: one is published at most every `PICTURE_EVERY_S`, the others are let go of here, before they cost anything. Pure."""

from croody_contract.limits import PICTURE_EVERY_S


class Pace:
    """When each camera sent its last picture; so many cameras at most."""

    MOST_CAMERAS = 16

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}

    def may(self, camera: str, mono_s: float) -> bool:
        """Whether it is time for another one of this camera, which then counts as sent.

        Args:
            camera: its name.
            mono_s: seconds of a clock that never jumps.
        """
        last = self._last_s.get(camera)
        if last is not None and mono_s - last < PICTURE_EVERY_S:
            return False
        if last is None and len(self._last_s) >= self.MOST_CAMERAS:
            return False
        self._last_s[camera] = mono_s
        return True
