"""How long tests wait. Knows no clock."""

#: What must come is waited for so long, in seconds: no promise, only where patience ends on a machine that is busy.
PATIENCE_S = 30.0
#: What is promised within a second or two, on a machine that has eight other things to do: enough to tell slow from wrong.
A_BUSY_SECOND_S = 10.0
