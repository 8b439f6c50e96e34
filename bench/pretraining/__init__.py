"""Pretraining of small models: one tokenizer, and an encoder and a decoder that differ in nothing but their kind.

The models that come with the package were made here; ``bench models build`` makes them again, or others.
"""
