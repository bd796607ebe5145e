"""Is a robot there? The judgement, the signs that it rests on, and the alarm for silence."""
