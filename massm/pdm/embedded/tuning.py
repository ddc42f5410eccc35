"""The numbers that the embedded engine is tuned with, each with what it does and why it is so.

No user sets them: they were chosen once, over populations of every kind, and config.yaml scales
what they make. "Measured" means: on the synthetic populations and the anatomies of
docs/particles.md (benchmarks/pdm.py, benchmarks/pdm_stability.py), by evenness, compactness and
left-out shapes. Lengths are in particle spacings (the side of the square that a particle has to
itself) where nothing else is said.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuning:
    """All of them; there is one instance, :data:`TUNING`."""

    neighbors: int = 16
    """Nearest particles that the sampling energy sees: two rings of a hexagonal lattice."""

    sampling_bandwidth: float = 0.5
    """Width of the sampling energy's kernel: measured to give the most even lattices."""

    core_bandwidth: float = 0.22
    """Width of its second, narrow kernel, which acts on pairs nearer than four fifths of a lattice
    distance alone and holds them apart where the ensemble draws them together; a wider one would
    stiffen the whole lattice and cost compactness (measured)."""

    core_share: float = 4.0
    """Height of the narrow kernel against the wide one."""

    coverage_radius: float = 0.74
    """Distance up to which a particle covers the surface. In a hexagonal lattice no place is
    farther than 0.62 from a particle."""

    coverage_stiffness: float = 120.0
    """Energy of a surface whose every place is one spacing farther than that."""

    coverage_cell: float = 0.5
    """Side of the grid's cells that hold one surface sample each."""

    coverage_candidates: int = 8
    """Points drawn for each particle, beside the vertices, that surface samples are chosen from."""

    density_neighbors: int = 6
    """Nearest particles that say how much the surface bends: the first ring of the lattice."""

    density_limit: float = 4.0
    """Most bending that counts, in mean bendings: a sharp edge does not draw all particles."""

    alignment_particles: int = 8
    """Fewest particles that shapes are aligned by; with less a rotation is hardly determined."""

    reference_samples: int = 200
    """Points of each surface that its distance from the others is measured by."""

    reference_candidates: int = 48
    """Most surfaces that are tried as reference: time grows with candidates times shapes."""

    opposed_normals: float = 0.2
    """Cosine beyond a right angle up to which a closest point still draws the template, less and
    less: what faces away is the other side of a thin wall."""

    relaxation_iterations: int = 60
    """Moves that make the particles of one surface even."""

    relaxation_rebuild: int = 10
    """Moves between two lists of neighbors meanwhile."""

    relaxation_momentum: float = 0.8
    """Share of the last move that goes on meanwhile."""

    relaxation_step: float = 0.1
    """Step size meanwhile, spacings per unit of force."""

    relaxation_longest_move: float = 0.2
    """Longest move meanwhile."""

    splitting_samples: int = 400
    """Points of each surface that the longest axis, where the first particle sits, comes from."""

    splitting_offset: float = 0.15
    """How far the old particle and the new one go in opposite directions."""

    splitting_neighbors: int = 6
    """Nearest particles whose distance says how much room a particle has."""

    reference_count: int = 256
    """Number of particles that weight, iterations and regularization of config.yaml hold for."""

    most_scarcity: float = 2.0
    """Most by which particles count as fewer than that, see ``schedule.scarcity``."""

    scarcity_iterations: int = 5
    """g of the share ``(g s - 1) / (g - 1)`` of a level's iterations at scarcity s (measured at 128
    particles, as the next two)."""

    scarcity_weight: float = 13 / 3
    """Exponent of scarcity in the correspondence weight."""

    scarcity_regularization: int = 3
    """Exponent of scarcity that divides the regularization's end: with the greater weight what is
    noise is held stiffly, and what varies is left alone."""

    transferring_iterations: float = 0.5
    """Share of a level's iterations where its particles only transfer others, which go on."""

    transferred_weight: float = 0.8
    """Share of the correspondence weight for particles that were transferred by fewer: what is left
    for them is to become even (measured)."""

    transferred_progress: float = 0.5
    """Share of the regularization's way that these do without: they correspond already."""

    annealed: float = 0.8
    """Share of a level after which the regularization stays, and the steps decay."""

    least_step: float = 0.03
    """Factor on the step at the end of a level."""

    resting_hurry: int = 20
    """Where particles rest before the regularization is at its end, each iteration counts as this
    part of the level."""

    rebuild: tuple[int, int] = (10, 40)
    """Fewest moves (where a particle has gone far since) and most, after which neighbors, uncovered
    samples and transforms are found anew."""

    rebuild_travel: float = 0.15
    """That distance."""

    longest_move: float = 0.3
    """Longest move of a particle in one iteration."""

    drift: tuple[float, float] = (0.05, 0.25)
    """Least and most distance that a particle moves before it is projected to its surface again."""

    drift_turn: float = 0.07
    """Most its surface's normal may turn before, radians."""

    repair_interval: int = 25
    """Iterations between two looks for swapped and collapsed pairs."""

    repair_rings: int = 2
    """Rings of neighbors that are untangled with them: a fold is wider than what shows it."""

    repair_rounds: int = 20
    """Rounds of untangling: each goes half of the way to where the neighbors expect a particle."""

    last_repairs: int = 20
    """Most repairs at the end of a level, each followed by some iterations."""

    last_iterations: int = 5
    """These iterations."""

    transfer_rings: tuple[int, ...] = (2, 3, 4, 6, 3)
    """Rings around what is still bad that all other particles transfer back, one try after the
    other."""

    transfer_repairs: int = 2
    """Repairs after each."""

    transfer_sources: int = 8
    """Fewest particles that transfer others: a thin-plate spline of less says little."""

    least_separation: float = 0.96
    """Least distance of two particles of a result, in mean nearest-neighbor distances of their
    shape."""

    separation_shares: tuple[float, ...] = (1.0, 0.97, 0.94)
    """Shares of it, one try after the other where a surface bends so much that pairs would swap."""

    separation_rounds: int = 30
    """Most rounds of moving pairs apart."""

    held_out_subjects: int = 12
    """Most training subjects that stand for new ones while the limit is learned."""

    held_out_one_in: int = 4
    """No more than one subject in so many is held out."""

    held_out_hurry: int = 4
    """The model without them gets one in so many iterations: on real anatomies the limit that comes
    of it is the same within two percent."""

    checkpoint_seconds: float = 60.0
    """Time between two kept states of one level."""


TUNING = Tuning()
