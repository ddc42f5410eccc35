"""One scan through a model: particles and surfaces of every anatomy that is found in it."""

import numpy as np
from jaxtyping import Float

from massm.geometry.mesh import Mesh
from massm.geometry.volume import Volume
from massm.inference.bundle import Bundle
from massm.io.errors import DataError
from massm.io.predictions import SubjectPrediction
from massm.models.predict import predict_subjects
from massm.tensors.preprocessing import images_of, scan_of


def predict_scan(
    volume: Volume, bundle: Bundle, device: str = "cpu", name: str = "scan"
) -> tuple[SubjectPrediction, dict[str, Mesh]]:
    """Find the anatomies of a CT and their shapes, as the stages predict and reconstruct do.

    Args:
        volume: CT, HU, any orientation.
        bundle: The model.
        device: Torch's name of what the network runs on.
        name: What the scan is called in messages.

    Returns:
        What the model says of the scan, and the closed surface of each anatomy that was found, LPS
        mm.

    Raises:
        DataError: If a voxel is no number, or particles make no surface, naming scan and anatomy.
    """
    if broken := volume.not_finite:
        raise DataError(
            f"{name}: image holds {broken} voxels that are no number (NaN or infinite); repair it"
        )
    preprocessing = bundle.description.preprocessing
    if not bundle.model.sees_fine:
        preprocessing = preprocessing.without_fine()
    images = images_of(
        [scan_of(name, volume, preprocessing)], preprocessing, multiple=bundle.model.stride
    )
    predictions = predict_subjects(bundle.model, bundle.description, [images], device=device)
    _, prediction = next(predictions)
    surfaces = {}
    for anatomy in prediction.found:
        particles = prediction.local_of(anatomy)
        if particles is not None:
            surfaces[anatomy] = _surface(bundle, anatomy, particles, name)
    return prediction, surfaces


def _surface(bundle: Bundle, anatomy: str, particles: Float[np.ndarray, "M 3"], name: str) -> Mesh:
    try:
        return bundle.shapes[anatomy].warp.surface(particles)
    except ValueError as error:
        raise DataError(f"{name}: {anatomy} has no surface: {error}") from error
