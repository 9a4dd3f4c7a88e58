"""Kubernetes objects without Helm: the CRD, a kustomize base and overlays."""
