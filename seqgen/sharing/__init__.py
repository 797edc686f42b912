"""Trained models for other people and programs: a page that writes, a model card, an ONNX graph."""
