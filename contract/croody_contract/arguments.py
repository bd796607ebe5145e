"""A command line in the language that is spoken: its help, and what is wrong with it. Knows argparse; no command of ours."""

import argparse
import re
import sys
from typing import Any, Final, NoReturn

from croody_contract.texts import TEXTS, said

#: What argparse says, always in English, and the text that takes its place.
_SAID: Final = (
    (re.compile(r"unrecognized arguments: (?P<names>.+)"), "arguments.unknown"),
    (re.compile(r"the following arguments are required: (?P<names>.+)"), "arguments.missing"),
    (re.compile(r"argument (?P<name>\S+): expected one argument"), "arguments.no_value"),
    (re.compile(r"argument (?P<name>\S+): invalid float value: (?P<value>.+)"), "arguments.not_a_number"),
    (re.compile(r"argument (?P<name>\S+): invalid int value: (?P<value>.+)"), "arguments.not_whole"),
    (re.compile(r"argument (?P<name>\S+): invalid choice: (?P<value>.+?) \(choose from (?P<choices>.+)\)"), "arguments.choice"),
)


class _Formatter(argparse.HelpFormatter):
    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        # An empty prefix is meant: argparse asks for the name of a parser below this one.
        super().add_usage(usage, actions, groups, said(TEXTS, "help.usage") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """An argparse parser whose own words are those of the catalogue. Options go to `options`."""

    def __init__(self, prog: str | None = None, **more: Any) -> None:
        """Args: `more` as argparse takes it."""
        super().__init__(prog, add_help=False, formatter_class=_Formatter, **more)
        self.options = self.add_argument_group(said(TEXTS, "help.options"))
        self.options.add_argument("-h", "--help", action="help", help=said(TEXTS, "help.help"))

    def error(self, message: str) -> NoReturn:
        """Refuse the command line: how it is used, then one sentence. Exits 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {worded(message)}\n")


def worded(message: str) -> str:
    """What argparse says is wrong, in the language that is spoken; what it is not known to say stays as it is."""
    found = ((pattern.fullmatch(message), key) for pattern, key in _SAID)
    return next((said(TEXTS, key, **match.groupdict()) for match, key in found if match), message)
