"""Evaluation of trained models: losses, baselines, comparisons of cells."""
