"""A command of ours: it speaks the terminal's language, and writes nothing that a terminal obeys. Knows Django's commands, none of ours."""

import sys
from collections.abc import Callable
from typing import Any, ClassVar, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.utils.functional import Promise
from django.utils.translation import override

from croody.catalogue import terminal_language
from croody_contract.printable import printable


class _Lines(OutputWrapper):
    """Whatever robots, people or servers called something, it is shown."""

    def write(self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None) -> None:  # type: ignore[override]
        super().write(printable(msg, keep="\n\t"), style_func, ending)


class Command(BaseCommand):
    """Its help is `about`, asked for when it is shown. Django's own options work, and are not shown: they speak English."""

    about: ClassVar[str | Promise] = ""
    #: Django sets it; its stubs leave it out.
    _called_from_command_line: bool
    # Django would import every page of the site to check it: not the business of a command.
    requires_system_checks = ()
    suppressed_base_arguments = {  # noqa: RUF012
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }

    def __init__(
        self, stdout: TextIO | None = None, stderr: TextIO | None = None, no_color: bool = False, force_color: bool = False
    ) -> None:
        super().__init__(stdout, stderr, no_color=no_color, force_color=force_color)
        self.stdout, self.stderr = _Lines(stdout or sys.stdout), _Lines(stderr or sys.stderr)
        self.stderr.style_func = self.style.ERROR
        with override(terminal_language()):
            self.help = str(self.about)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With the help of the options in that language, too."""
        with override(terminal_language()):
            return super().create_parser(prog_name, subcommand, **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run it; a caller in Python may give other outputs."""
        for name in ("stdout", "stderr"):
            if options.get(name):
                options[name] = _Lines(options[name])
        try:
            with override(terminal_language()):
                return super().execute(*args, **options)
        except CommandError as error:
            # Django would put the name of its class before the sentence.
            if not self._called_from_command_line or options.get("traceback"):
                raise
            self.stderr.write(f"croody: {error}")
            sys.exit(error.returncode)
