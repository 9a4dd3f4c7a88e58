"""Model packages: a directory of data files, named by digests, signed, and checked before any use.

    manifest.json       what it is, and the SHA-256 of every other file; its own is the identity
    manifest.sig        Ed25519 signature over the manifest's exact bytes, with the key id
    model.int8.onnx     what is served; model.onnx is the same in fp32
    model.safetensors   with config.json: the weights to fine-tune the next version from
    tokenizer.json      Hugging Face tokenizers
    samples.json        warm-up texts with the probabilities this model must give
    card.md             for people; evaluation.json and report.html where there are any

A package without an encoder holds `linear.safetensors` and `samples.json` alone.

Only formats that hold data: nothing in a package is executed. Everything fails closed.
"""

from shield.packages.keys import KeyPair, Trust, generate_key, load_private_key, save_key
from shield.packages.manifest import Alone, Band, Cascade, Manifest, Margin, Preprocessing
from shield.packages.package import ModelPackage, Purpose, pack, sign
from shield.packages.settings import PackageSettings
from shield.packages.transfer import Pushed, pull, push, uri_of

__all__ = [
    "Alone",
    "Band",
    "Cascade",
    "KeyPair",
    "Manifest",
    "Margin",
    "ModelPackage",
    "PackageSettings",
    "Preprocessing",
    "Purpose",
    "Pushed",
    "Trust",
    "generate_key",
    "load_private_key",
    "pack",
    "pull",
    "push",
    "save_key",
    "sign",
    "uri_of",
]
