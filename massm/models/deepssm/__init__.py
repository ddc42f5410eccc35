"""DeepSSM: a linear shape model whose scores convolutions read from an image.

Bhalodia, Elhabian, Kavan, Whitaker, "DeepSSM: A Deep Learning Framework for Statistical Shape
Modeling from Raw Images", ShapeMI 2018; as ShapeWorks has it now, which compares particles instead
of scores.
"""
