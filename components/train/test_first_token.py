"""A classifier that computes only what it reads says and learns the same."""

import copy

import pytest
import torch

from components.shared.encoder import load_classifier, padded
from components.train.first_token import read_first_token_only
from tests.support.tiny import tiny_encoder

pytestmark = pytest.mark.xdist_group("training")


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_logits_and_gradients_are_the_same(attention: str) -> None:
    torch.manual_seed(0)
    plain = load_classifier(tiny_encoder()).eval()
    plain.set_attn_implementation(attention)
    short = copy.deepcopy(plain)
    read_first_token_only(short)
    ids, mask = padded([[101, 2023, 2003, 102], [101, 2023, 102]], 0)
    read = [model(input_ids=ids, attention_mask=mask).logits for model in (plain, short)]
    torch.testing.assert_close(*read)
    for model, logits in zip((plain, short), read, strict=True):
        logits[:, 1].sum().backward()
        assert model.bert.encoder.layer[0].attention.self.query.weight.grad.abs().sum() > 0
    grads = [
        {name: each.grad for name, each in model.named_parameters()} for model in (plain, short)
    ]
    torch.testing.assert_close(*grads)
    last = []
    short.bert.encoder.layer[-1].register_forward_hook(lambda *given: last.append(given[2].shape))
    short(input_ids=ids, attention_mask=mask)
    assert last == [(2, 1, 32)]
    assert list(short.state_dict()) == list(plain.state_dict())
