"""What was published and is not yet acknowledged, on the robot's own disk.

`queue` is the outbox as the agent uses it. `keys` and `store` are the rows of its file, `queue_file` the open file, `startup` opens it,
`rescue` saves what can be saved of a damaged one, `watermark` remembers how far it had come, `limit` and `thinning` keep it small, `lock`
keeps a second agent out, in `unkept` waits what it refuses, and `encoding` turns a record into the bytes that are kept and sent.
"""
