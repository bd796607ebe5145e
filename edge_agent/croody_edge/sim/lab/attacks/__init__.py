"""All attacks of the lab, by their kinds."""

from collections.abc import Mapping
from typing import Final

from croody_edge.sim.lab.attacks import floods, inside, lies, scans, secrets
from croody_edge.sim.lab.attacks.attack import Attack

ALL: Final = (*scans.ATTACKS, *secrets.ATTACKS, *inside.ATTACKS, *lies.ATTACKS, *floods.ATTACKS)
BY_CODE: Final[Mapping[str, Attack]] = {attack.code: attack for attack in ALL}
