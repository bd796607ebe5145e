"""Who may come in, from a password file. Pure: text in, decisions out; knows no topics and no sockets."""

from collections.abc import Mapping

from croody_contract.mosquitto import check_user, hash_secret, split_hash, verify

#: Compared against when nobody has that name, so that an unknown user takes as long as a wrong password.
_NOBODY = hash_secret("nobody's secret", salt=bytes(12))


class Accounts:
    """User -> hash of the secret."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = dict(hashes)

    def __len__(self) -> int:
        return len(self._hashes)

    def hash_of(self, user: str) -> str | None:
        """The user's hash as it stands in the file; `None` when there is no such user. Changes when the secret does."""
        return self._hashes.get(user)

    def check(self, user: str, secret: str) -> bool:
        """Say whether `secret` is the user's; as slow for an unknown user as for a wrong secret."""
        hashed = self._hashes.get(user)
        right = verify(secret, hashed or _NOBODY)
        return right and hashed is not None


def parse_passwd(text: str) -> tuple[Accounts, list[str]]:
    """Read Mosquitto's password file. Returns the accounts and what is wrong with the lines that were left out."""
    hashes: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user, _, hashed = line.rstrip().partition(":")
        try:
            check_user(user)
            split_hash(hashed)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if user in hashes:
            problems.append(f"line {number}: user {user!r} stands there twice: the first line counts")
            continue
        hashes[user] = hashed
    return Accounts(hashes), problems
