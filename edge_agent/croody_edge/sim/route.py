"""Ways through the aisles: A* over a grid of spots with room around them. Pure; knows the world and nothing of robots."""

from functools import lru_cache
from heapq import heappop, heappush
from typing import Final

from croody_edge.sim.world import World

Spot = tuple[float, float]
_Node = tuple[int, int]

GRID_M: Final = 0.5
#: Room kept around a way, metres: radius, lane offset and a hand's breadth.
ROOM_M: Final = 0.9
#: A turn costs as much as this many grid steps, so ways are long straight lines.
_TURN_COST: Final = 3
_STEPS: Final = ((1, 0), (-1, 0), (0, 1), (0, -1))


class Routes:
    """Ways in one world, found once and remembered."""

    def __init__(self, world: World) -> None:
        self._columns = int(world.plan.width_m / GRID_M)
        self._rows = int(world.plan.height_m / GRID_M)
        self._open = frozenset(
            (i, j) for i in range(self._columns + 1) for j in range(self._rows + 1) if world.clearance_m(i * GRID_M, j * GRID_M) >= ROOM_M
        )
        self._found = lru_cache(maxsize=4096)(self._search)

    def way(self, start: Spot, goal: Spot) -> list[Spot]:
        """Corners of a way from near `start` to near `goal`, both ends on the grid and included.

        Raises:
            ValueError: there is none; the plan cuts these two spots off from each other.
        """
        found = self._found(self.nearest(start), self.nearest(goal))
        if not found:
            raise ValueError(f"no way from {start} to {goal}: a rack or wall of the plan cuts them off from each other")
        return list(found)

    def nearest(self, spot: Spot) -> _Node:
        """The grid node with room around it that is nearest to `spot`.

        Raises:
            ValueError: the plan has no room anywhere.
        """
        i, j = round(spot[0] / GRID_M), round(spot[1] / GRID_M)
        if (i, j) in self._open:
            return i, j
        if not self._open:
            raise ValueError(f"the plan has no spot with {ROOM_M} m around it")
        return min(self._open, key=lambda node: ((node[0] - i) ** 2 + (node[1] - j) ** 2, node))

    def _search(self, start: _Node, goal: _Node) -> tuple[Spot, ...]:
        if start == goal:
            return (_spot(start),)
        queue: list[tuple[int, int, _Node, int]] = [(0, 0, start, -1)]
        best: dict[tuple[_Node, int], int] = {(start, -1): 0}
        came: dict[tuple[_Node, int], tuple[_Node, int]] = {}
        while queue:
            _, cost, node, heading = heappop(queue)
            if node == goal:
                return _corners(came, (node, heading))
            if cost > best[node, heading]:
                continue
            for turn, (di, dj) in enumerate(_STEPS):
                after = (node[0] + di, node[1] + dj)
                if after not in self._open:
                    continue
                total = cost + 1 + (_TURN_COST if heading not in (-1, turn) else 0)
                state = (after, turn)
                if total < best.get(state, 1 << 30):
                    best[state] = total
                    came[state] = (node, heading)
                    guess = total + abs(after[0] - goal[0]) + abs(after[1] - goal[1])
                    heappush(queue, (guess, total, after, turn))
        return ()


def _corners(came: dict[tuple[_Node, int], tuple[_Node, int]], end: tuple[_Node, int]) -> tuple[Spot, ...]:
    nodes = [end[0]]
    state = end
    while state in came:
        before = came[state]
        if before not in came or before[1] != state[1]:
            nodes.append(before[0])
        state = before
    return tuple(_spot(node) for node in reversed(nodes))


def _spot(node: _Node) -> Spot:
    return node[0] * GRID_M, node[1] * GRID_M
