"""Files of a trained model, and the version of its description: known without loading torch."""

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
VERSION = 5
