"""The contract suite behind ``bench verify``: what every task and every method must keep, looked at from outside."""
