"""From captured frames to what each device did: capture files, packets, counters a device and a victim. Pure: opens no file and no socket.

The robot and the cloud count with the same code, so that a limit means the same on both.
"""
