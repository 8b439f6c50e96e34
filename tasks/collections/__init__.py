"""Data sets of the Hugging Face hub, a YAML file each, on the task `hub`."""
