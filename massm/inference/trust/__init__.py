"""Whether a scan and its anatomies are like those that a model can be trusted on."""
