"""The model on the phone: serve its files, count its verdicts, take reports about them.

Only a report contains a message's text; counts do not.
"""
