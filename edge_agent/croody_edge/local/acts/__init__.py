"""What is done on the board when a rule begins or ends: a webhook, a program. Each sort in a thread of its own, behind a bounded queue.

Nothing here keeps the agent waiting: what does not fit into a queue is let go of, counted and said.
"""
