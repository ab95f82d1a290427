"""A single-node Kubernetes cluster on one Linux machine, from Go modules and Debian packages alone.

``python -m localcluster up`` starts it, ``down`` removes it. The pages in ``docs/local-cluster.md`` say what it needs.
"""
