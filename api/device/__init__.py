"""What the API does for the judge on the phone: hand it out, count what it says, take reports.

Admission rule of this room: a text comes in with a report alone; counts come without one.
"""
