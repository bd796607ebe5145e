"""How far a window of the joint metrics is from what is ordinary in its mode, by a TFLite graph. Knows a profile and the runtime.

The runtimes of boards can run a graph and build none. So the graph is the same for every robot and its matrix is an input: set when the
mode changes, kept by the runtime in between.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import numpy as np

from croody_contract.profiles import ANY_MODE, MAX_JOINT, OF_EACH, Profile
from croody_edge.screen.card import MODELS, ModelRefused
from croody_edge.screen.learned.inputs import FARTHEST, Array, inputs
from croody_edge.screen.tflite import interpreter

GRAPH: Final = MODELS / "together.tflite"
#: Of the file that `training/make_together_graph.py` wrote.
SHA256: Final = "fc1f88278982b7646a8ddffa26987b766fb7701ef6a054e35c7fe148cc91e81a"
SIZE: Final = OF_EACH * MAX_JOINT
#: How far the graph's answer may be from numpy's, as a share.
_TOLERANCE: Final = 1e-3
#: The score of a window at its limit.
AT_LIMIT: Final = 0.5


class Together:
    """Of one robot. Not thread-safe: one thread asks."""

    def __init__(self, profile: Profile) -> None:
        """Load the graph and ask it something whose answer is known.

        Raises:
            ModelRefused: damaged, or this Python cannot run it, or runs it otherwise.
        """
        by_name = {metric.name: metric for metric in profile.metrics}
        self._scale = np.asarray([by_name[name].levels[ANY_MODE].spread for name in profile.joint])
        self._used = OF_EACH * len(profile.joint)
        self._modes = {
            mode: (np.asarray(one.mean), np.frombuffer(one.whiten, "<f4").reshape(self._used, self._used), one.limit)
            for mode, one in profile.together.items()
        }
        self._mode: str | None = None
        self._off = np.zeros((1, SIZE), dtype=np.float32)
        try:
            data = GRAPH.read_bytes()
        except OSError as error:
            raise ModelRefused("unreadable", f"model {GRAPH}: {error}: install croody-edge again") from error
        if sha256(data).hexdigest() != SHA256:
            raise ModelRefused("damaged", f"model {GRAPH}: its SHA-256 is not the one it was made with: install croody-edge again")
        try:
            self._graph: Any = interpreter(data)
            self._graph.allocate_tensors()
            places = {tuple(detail["shape"]): detail["index"] for detail in self._graph.get_input_details()}
            self._off_index, self._whiten_index = places[1, SIZE], places[SIZE, SIZE]
            self._out_index = self._graph.get_output_details()[0]["index"]
            self._check()
        # What the runtimes raise on bytes that are no model, or beside a numpy they were not built for.
        except (ImportError, ValueError, RuntimeError, TypeError, AttributeError, SystemError, KeyError) as failure:
            raise ModelRefused(
                "runtime", f"model {GRAPH}: this Python cannot run it: {failure}: compare with requirements/edge.txt"
            ) from failure

    def score(self, window: Array, mode: str) -> float:
        """Score in [0, 1] of a window: `AT_LIMIT` is the edge of the ordinary.

        Args:
            window: shape (WINDOW_ROWS, joint metrics), oldest row first, no NaN.
            mode: of all its rows; `ANY_MODE` where they differ.
        """
        known = mode if mode in self._modes else ANY_MODE
        mean, _, limit = self._modes[known]
        self._set(known)
        self._off[0, : self._used] = np.clip(inputs(window, self._scale) - mean, -FARTHEST, FARTHEST)
        return min(1.0, AT_LIMIT * self._length() / limit)

    def modes(self) -> Sequence[str]:
        """Those with a shape of their own."""
        return list(self._modes)

    def _length(self) -> float:
        self._graph.set_tensor(self._off_index, self._off)
        self._graph.invoke()
        return float(np.sqrt(self._graph.get_tensor(self._out_index)[0] / self._used))

    def _set(self, mode: str) -> None:
        if mode != self._mode:
            whole = np.zeros((SIZE, SIZE), dtype=np.float32)
            whole[: self._used, : self._used] = self._modes[mode][1]
            self._graph.set_tensor(self._whiten_index, whole)
            self._mode = mode

    def _check(self) -> None:
        self._set(ANY_MODE)
        self._off[0, : self._used] = np.linspace(-1.0, 1.0, self._used)
        self._length()
        found, whiten = self._length(), self._modes[ANY_MODE][1].astype(np.float64)
        right = float(np.sqrt(np.square(whiten @ self._off[0, : self._used]).mean()))
        if not abs(found - right) <= _TOLERANCE * max(right, 1e-6):
            raise ModelRefused("wrong_answer", f"model {GRAPH}: {found:.5f} on a known window, {right:.5f} is right: do not trust it here")
