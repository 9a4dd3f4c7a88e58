"""Whether a forward pass in bfloat16 pays here."""

import torch

from components.shared.environment import Precision


def in_bfloat16(precision: Precision, device: torch.device) -> bool:
    """Tell whether to multiply in bfloat16.

    It is half as fast again on a CPU that has it, far faster on a GPU, and slow where it has to be
    emulated. Weights, gradients, sums and the validation loss stay float32.
    """
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))
