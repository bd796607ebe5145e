"""The status page on the board: `server` answers, `facts` gathers, `html` words it, `outlook` says when what waits will be there.

It reads; nothing can be ordered through it. Words are the visitor's, in Spanish or English, whatever the agent's terminal speaks.
"""
