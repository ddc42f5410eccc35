"""Where the image around a mask says that its anatomy ends.

What one sees around a point near an anatomy tells how far that reaches from there in each
direction: a regression from such views to these lengths, learned from the masks of the other
subjects, finds masks that lie beside the anatomy, miss a part of it or go beyond it.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from massm.audit.measures import DIRECTIONS, REACH, STEP_MM
from massm.audit.population import folds_of, usual

_HALF = 4  # a view is 2 x 4 + 1 places wide,
_STRIDE = 2  # so many steps apart, each the mean of
_MEAN = 3  # so many steps along each axis
_FARTHEST = REACH - _HALF * _STRIDE  # steps from the center that it is learned at
_SAMPLES = 5000  # about so many views are learned from
_PENALTY = 300.0  # of the weights, in views
_KEPT = 0.85  # those that are farthest from what the others say are not learned from
_SEED = 0


def beyond_sight(
    around: Float[np.ndarray, "n d d d"], support: Float[np.ndarray, "n 26"]
) -> Float[np.ndarray, "n 26"]:
    """Measure how much farther each mask reaches than the image around it says, mm.

    Each subject is judged by what the others taught.

    Args:
        around: The image around the center of each subject's mask, axes x, y, z.
        support: How far the mask reaches from its center in each direction, mm.
    """
    count = len(around)
    shots = int(np.clip(_SAMPLES // count, 8, 60))
    moves = np.random.default_rng(_SEED).integers(-_FARTHEST, _FARTHEST + 1, (count, shots, 3))
    moves[:, 0] = 0  # the first view is from the center itself
    seen = _views(around, moves)
    usually = support - np.median(support, axis=0)
    reach = (usually[:, None] - STEP_MM * moves @ DIRECTIONS.T).astype(np.float32)
    taken = np.ones(count, bool)
    left = np.zeros_like(support)
    for _ in range(2):
        left = usually - _by_others(seen, reach, taken)
        middle, spread = usual(left, 1.0)
        far = np.linalg.norm((left - middle) / spread, axis=1)
        taken = far <= np.quantile(far, _KEPT)
    return np.asarray(left - np.median(left, axis=0))


def offset(beyond: Float[np.ndarray, "n 26"]) -> Float[np.ndarray, "n 3"]:
    """Return the shift that explains most of what masks reach too far, mm."""
    return beyond @ np.linalg.pinv(DIRECTIONS).T


def _by_others(
    seen: Float[np.ndarray, "n s f"],
    reach: Float[np.ndarray, "n s 26"],
    taken: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "n 26"]:
    """Say how far each anatomy reaches from the center of its mask by what others taught."""
    folds = folds_of(len(seen))
    parts = []
    for fold in np.unique(folds):
        x, y = (values[taken & (folds == fold)] for values in (seen, reach))
        x, y = x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])
        parts.append((x.T @ x, x.T @ y))
    gram = sum(part[0] for part in parts) + _PENALTY * np.eye(seen.shape[-1], dtype=np.float32)
    product = sum(part[1] for part in parts)
    said = np.zeros((len(seen), reach.shape[-1]))
    for fold, (own_gram, own_product) in enumerate(parts):
        weights = np.linalg.solve(gram - own_gram, product - own_product)
        said[folds == fold] = seen[folds == fold, 0] @ weights
    return said


def _views(around: Float[np.ndarray, "n d d d"], moves: np.ndarray) -> Float[np.ndarray, "n s f"]:
    """Cut the views out of the images, and a 1 behind each."""
    images = around.astype(np.float32)
    images = (images - images.mean()) / (images.std() + 1e-6)
    steps = _STRIDE * np.arange(-_HALF, _HALF + 1) + REACH
    count, shots = moves.shape[:2]
    views = np.ones((count, shots, len(steps) ** 3 + 1), np.float32)
    for row, image in enumerate(images):
        smooth = ndimage.uniform_filter(image, _MEAN)
        for shot, (x, y, z) in enumerate(moves[row]):
            views[row, shot, :-1] = smooth[np.ix_(steps + x, steps + y, steps + z)].ravel()
    return views
