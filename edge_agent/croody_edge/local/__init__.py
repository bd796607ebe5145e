"""What a running agent tells those who are on the same board: `state` is what it tells, `socket` how it is asked for.

Nothing of it leaves the board.
"""
