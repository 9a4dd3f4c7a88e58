"""The judge that fits on a phone: the linear model in one byte a weight, and what it needs to read.

    device.json            what it is: features, operating point, band; names the files below
    device.safetensors     one signed byte for each bucket
    characters.json        Unicode as the Python that trained knows it: a phone's own differs

They lie in the version's package and are signed with it.
`api/pages/assets/src/judge/` computes the same in TypeScript; the tests hold both to each other.
"""

from shield.device.model import DeviceModel, Operating, quantised
from shield.device.package import (
    CHARACTERS,
    DEVICE,
    WEIGHTS,
    DeviceManifest,
    read_device,
    write_device,
)

__all__ = [
    "CHARACTERS",
    "DEVICE",
    "WEIGHTS",
    "DeviceManifest",
    "DeviceModel",
    "Operating",
    "quantised",
    "read_device",
    "write_device",
]
