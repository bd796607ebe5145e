"""A command line of the robot's: what is wrong with it is said as a wrong variable is. Knows no command of ours."""

from typing import Any, NoReturn

from croody_contract import arguments
from croody_edge.variables import BadSetting


class Parser(arguments.Parser):
    """A parser that takes options by their whole names."""

    def __init__(self, prog: str | None = None, **more: Any) -> None:
        """Args: `more` as argparse takes it."""
        super().__init__(prog, allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            BadSetting: always.
        """
        raise BadSetting(arguments.worded(message))
