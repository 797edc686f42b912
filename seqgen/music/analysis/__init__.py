"""Keys, measures and near-duplicates of pieces."""
