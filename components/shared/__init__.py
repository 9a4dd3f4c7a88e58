"""What several steps use: tables of messages, the corpus store, files of a run, encoders.

A step imports this room and `shield`, never another step.
"""
