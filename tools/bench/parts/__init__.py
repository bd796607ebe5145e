"""The parts of the bench, one file each: what is measured, beside which peer, with which goal."""
