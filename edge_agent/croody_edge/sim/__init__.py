"""Virtual robots and the little world they drive in. Nothing here is needed on a real robot.

`plan` the world's drawing; `world` what stops a robot and where it is on the globe; `route` ways through the aisles; `climate` air
and wind; `drive` motor and battery; `faults` what breaks when; `robot` one robot; `protocol` and `tcp` its own protocol on :9090;
`fleet` many of them.
"""
