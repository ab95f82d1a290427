"""Scripts of users: the process that runs one, what goes between it and a driver, and its limits."""
