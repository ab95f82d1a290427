"""What is to be done about a job now, and what has to be remembered of it. Pure."""
