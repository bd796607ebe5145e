"""Parts of addresses that a path holds in a way of its own. Pure."""

from urllib.parse import unquote


def as_one_part(text: str) -> str:
    """As it stands in a path that is looked up; nothing changes in most."""
    return text.replace("%", "%25").replace("/", "%2F")


class RobotId:
    """`<robot:robot_id>`: any id that a robot may have, in one part of a path.

    Over HTTP ids are any 3 to 64 characters that can be shown, so also `line/3`. What stands escaped in an address is written out before
    Django looks at it: a slash would end the part. So a slash and the sign that escapes are escaped once more.
    """

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        """The id."""
        return unquote(value)

    def to_url(self, value: str) -> str:
        """As it stands in the path."""
        return as_one_part(value)
