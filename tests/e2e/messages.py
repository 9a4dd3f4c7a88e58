"""Messages of one kind of fraud, as it goes round: parcels that wait for a fee."""

from itertools import islice, product

_WHO = ["Your parcel", "Package 8841", "Your delivery", "Order 20931", "Your shipment"]
_WHAT = ["is held at the depot", "could not be delivered", "waits at customs", "is on hold"]
_HOW = [
    "pay the 1.99 fee at {site} today",
    "confirm your address and card on {site}",
    "settle the redelivery charge via {site}",
    "open {site} within 12 hours or it goes back",
]
_SITES = ["post-fees.test", "track-my-box.test", "customs-desk.test"]


def parcel_scams(count: int) -> list[str]:
    """Return `count` different messages."""
    every = product(_HOW, _WHO, _WHAT, _SITES)
    return [
        f"{who} {what}: {how.format(site=site)}" for how, who, what, site in islice(every, count)
    ]
