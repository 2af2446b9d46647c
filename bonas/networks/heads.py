"""The last layer of a detector."""

import torch
from torch import nn


def full_precision(layer: nn.Linear, features: torch.Tensor) -> torch.Tensor:
    """The layer in its weights' own precision, whatever mixed precision is around it.

    A bfloat16 logit has eight significant bits: many images would tie, and an AUC ranks images.
    """
    result: torch.Tensor
    if features.device.type == "meta":  # has shapes only, and no mixed precision to switch off
        result = layer(features)
    else:
        with torch.autocast(features.device.type, enabled=False):
            result = layer(features.to(layer.weight.dtype))
    return result
