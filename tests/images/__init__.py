"""The images that demo and tests run, built without a Docker engine and pushed to where the cluster pulls them from."""
