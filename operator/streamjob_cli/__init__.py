"""The command `streamjob`: tries and checks manifests without a cluster."""
