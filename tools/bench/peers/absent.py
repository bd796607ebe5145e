"""A peer that cannot run here."""

from tools.words import Problem


class Absent(Problem):
    """Why a peer is left out, as a sentence for the table's reader: English, as the page is."""

    def __init__(self, why: str) -> None:
        super().__init__(why, why)
