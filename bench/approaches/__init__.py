"""The ways of using a large language model that are under study, and their parts."""
