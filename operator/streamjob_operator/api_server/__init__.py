"""All that is asked of the API server, and the only user of the Kubernetes client."""
