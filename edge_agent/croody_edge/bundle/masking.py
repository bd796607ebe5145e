"""Takes secrets out of text: those that are known, in each way they may be written, and what looks like one. Pure.

A secret is what a variable or a field with such a name holds, or the file that it names; a name with a password in an address; and a
parameter of an address with such a name.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "***"
#: A name with one of these in it names a secret.
_NAMES: Final = re.compile(r"secret|token|passw|passphrase|credential|private|api_?key|(^|_)key$|(^|_)pass$|clave|claim", re.IGNORECASE)
#: What may stand before a host in an address; it may itself hold an @.
_LOGIN: Final = re.compile(r"(?<=://)[^\s/?#\"'<>]+(?=@)")
_PARAMETER: Final = re.compile(r"([?&;])([^=&;\s#\"']+)=([^&;\s#\"']+)")
_HEADER: Final = re.compile(r"\b((?:proxy-)?authorization|x-api-key|cookie)(\W{1,4})(?:(basic|bearer)\s+)?[^\s,\"']+", re.IGNORECASE)
#: A shorter one is a word that may stand anywhere; it is hidden where its name shows it, and only there.
_SHORTEST: Final = 4


def is_secret(name: str) -> bool:
    """Say whether what has this name is nobody's business. A `..._FILE` holds a path, which is none."""
    return bool(_NAMES.search(name)) and not name.lower().endswith("_file")


def of_variables(environ: Mapping[str, str], read: Callable[[str], str]) -> set[str]:
    """The secrets of an environment.

    Args:
        environ: names and values.
        read: what a file holds, nothing where it cannot be read.
    """
    found = set[str]()
    for name, value in environ.items():
        if is_secret(name):
            found.add(value)
        elif name.lower().endswith("_file") and is_secret(name[: -len("_file")]):
            found.add(read(value).strip())
        found.update(of_address(value))
    return found - {""}


def of_table(table: Any, read: Callable[[str], str]) -> set[str]:
    """The secrets of what a file of settings says, at any depth; `read` as above."""
    found = set[str]()
    if isinstance(table, Mapping):
        for name, value in table.items():
            if isinstance(value, str) and is_secret(str(name)):
                found.add(value)
            elif isinstance(value, str) and str(name).lower().endswith("_file") and is_secret(str(name)[: -len("_file")]):
                found.add(read(value).strip())
            else:
                found |= of_table(value, read)
    elif isinstance(table, list):
        found.update(*(of_table(each, read) for each in table))
    elif isinstance(table, str):
        found.update(of_address(table))
    return found - {""}


def of_address(value: str) -> Iterator[str]:
    """Names with passwords, and parameters that are secrets, of an address."""
    head = value if "://" in value else f"http://{value}"
    for login in _LOGIN.findall(head):
        yield login
        yield login.partition(":")[2]
    yield from (held for _, name, held in _PARAMETER.findall(value) if is_secret(name))


class Masking:
    """Knows the secrets of one board."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        #: Each way in which a secret may be written.
        self.forms = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for form in self.forms:
            text = text.replace(form, MASK)
        text = _LOGIN.sub(MASK, text)
        text = _HEADER.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text)
        return _PARAMETER.sub(lambda found: f"{found[1]}{found[2]}={MASK}" if is_secret(found[2]) else found[0], text)

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Each variable with what may be seen of it."""
        return {name: MASK if is_secret(name) and value else self(value) for name, value in sorted(environ.items())}

    def table(self, value: Any, name: str = "") -> Any:
        """What a file of settings says, with what may be seen of it."""
        if isinstance(value, Mapping):
            return {key: self.table(each, str(key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.table(each, name) for each in value]
        if is_secret(name):
            return MASK
        return self(value) if isinstance(value, str) else value


def _forms(secret: str) -> Iterator[str]:
    """As it is, as an address, JSON, Python or a header would write it, and lines of it alone."""
    plain = {secret, unquote(secret)}
    plain |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= 2 * _SHORTEST}
    for one in plain:
        yield from (one, quote(one), quote(one, safe=""), quote_plus(one), json.dumps(one)[1:-1], repr(one)[1:-1])
        yield b64encode(one.encode()).decode().rstrip("=")
