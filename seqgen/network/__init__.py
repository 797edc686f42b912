"""The Keras model, and recurrent layers that train faster on a CPU."""
