"""Losses, baselines and measures of a trained model."""
