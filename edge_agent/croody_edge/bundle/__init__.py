"""`croody-edge bundle`: what somebody far away needs to understand a board, in one small archive without secrets.

`masking` knows what a secret is and takes it out of a text, purely; `contents` gathers; `archive` keeps it small and writes it, and looks
once more for every secret it knows before a byte leaves.
"""
