"""The whole loop on a real node: images, pods, gateway, a correction that becomes a model.

`make e2e`. Not part of `make test`: it needs root and a quarter of an hour.
"""
