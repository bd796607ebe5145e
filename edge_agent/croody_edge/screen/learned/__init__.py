"""Screening of any robot's own sensors, by what its agent learned in the robot's first hours.

readings -> `rows` -> while learning, `journal` on disk -> `learn`: a profile -> `judges` of each metric, and `together`: all of them by a
TFLite graph. `screen` wires them for one robot; `files` keeps them in its folder. `learn`, `judges`, `inputs` and `rows` are pure.
"""
