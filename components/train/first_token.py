"""Compute the last layer for the token that the classifier reads, and for no other.

A classifier of the BERT family reads the first token of its last layer alone. The layer's other
tokens are computed for nobody, which is five sixths of its work. Without them logits and gradients
are the same; trainings, and the files that serve, are faster. Names and shapes of the weights stay,
so that Hugging Face's own class loads what was trained.
"""

from typing import Any

from transformers import BertForSequenceClassification
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.bert.modeling_bert import BertLayer, eager_attention_forward


class _FirstTokenLayer(BertLayer):  # type: ignore[no-untyped-call]
    """A layer whose output has one token: (batch, 1, width)."""

    def forward(self, hidden_states: Any, attention_mask: Any = None, *_: Any, **__: Any) -> Any:
        layer: Any = self
        attention, first = layer.attention.self, hidden_states[:, :1]

        def heads(projected: Any) -> Any:
            return projected.unflatten(-1, (attention.num_attention_heads, -1)).transpose(1, 2)

        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            attention.config._attn_implementation, eager_attention_forward
        )
        attended, _weights = attend(
            attention,
            heads(attention.query(first)),
            heads(attention.key(hidden_states)),
            heads(attention.value(hidden_states)),
            None if attention_mask is None else attention_mask[..., :1, :],
            dropout=attention.dropout.p if layer.training else 0.0,
            scaling=attention.scaling,
        )
        return layer.feed_forward_chunk(layer.attention.output(attended.flatten(2), first))


def read_first_token_only(model: Any) -> None:
    """Make a BERT classifier compute no more of its last layer than it reads.

    A classifier of another kind is left as it is.
    """
    if type(model) is BertForSequenceClassification:
        model.bert.encoder.layer[-1].__class__ = _FirstTokenLayer
