"""What is true of a job and of its OU, said in conditions and Events. Pure."""
