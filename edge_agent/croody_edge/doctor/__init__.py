"""`croody-edge doctor`: everything that has to be well for a robot to be heard, looked at once, beside a running agent or without one.

`board` looks at clock and disk, `queue` at the outbox, `parts` at model and source, `way_out` at the way to the broker; a `finding` is a
line for a person. Nothing here stops, starts or changes an agent.
"""
