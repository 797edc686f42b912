"""Trained models for other people and other programs: a model card, an ONNX graph."""
