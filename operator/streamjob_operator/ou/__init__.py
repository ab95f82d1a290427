"""Who holds an OU's capacity, what is installed, and what is true of its StreamResource. Pure."""
