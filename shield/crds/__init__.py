"""The Kubernetes types of the product; the YAML under `manifests/crds` is generated from them."""
