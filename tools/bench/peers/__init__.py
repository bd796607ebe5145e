"""What Croody is measured beside, one file each. A peer that cannot run here is left out, with a sentence that says why."""
