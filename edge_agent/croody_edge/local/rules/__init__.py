"""Rules that act on the board itself, without a cloud: `rules.toml` -> `Rule`, a `Judge` for each, and `Rules`, which keeps them all.

Pure but for the file that remembers which of them hold. What is done when one begins or ends is in `local.acts`.
"""
