"""A population: the anatomies whose training shapes make one model, mostly a single one.

A left and a right anatomy whose shapes are mirrored onto each other are one population: particle j
is the same place on either side. Their shapes are then named ``subject/anatomy``; in a population
of one they are named by their subjects.
"""

from dataclasses import dataclass, replace

from massm.io.errors import DataError
from massm.pdm.correspondence import Correspondence
from massm.pdm.groomed import GroomedShapes, Member, no_shapes


@dataclass(frozen=True)
class Population:
    """The unit that shape models are made of.

    Attributes:
        name: Its own, or that of the only anatomy.
        members: The anatomies, with their surfaces.

    Raises:
        DataError: If there are no members, or one is without training surfaces.
    """

    name: str
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        """Refuse what no model can be made of."""
        if not self.members:
            raise DataError(f"{self.name}: a population has one anatomy or more, found none")
        for member in self.members:
            if not member.training.names:
                raise DataError(
                    f"{member.anatomy}: no training subject has a groomed and aligned surface"
                )

    @property
    def title(self) -> str:
        """Name its anatomies, for people."""
        return " and ".join(member.anatomy for member in self.members)

    @property
    def training(self) -> GroomedShapes:
        """All training shapes."""
        return self._pooled([(member.anatomy, member.training) for member in self.members])

    @property
    def others(self) -> GroomedShapes:
        """All other shapes."""
        return self._pooled([(member.anatomy, member.others) for member in self.members])

    def groups(self, names: tuple[str, ...]) -> list[str] | None:
        """Name the subject of each shape; None where each is of another subject anyway."""
        return None if self._is_single else [_split(name)[0] for name in names]

    def of(self, found: Correspondence, anatomy: str) -> Correspondence:
        """Take the shapes of one anatomy, named by their subjects."""
        if self._is_single:
            return found
        own = found.ordered([name for name in found.names if _split(name)[1] == anatomy])
        failed = {_split(name): reason for name, reason in found.failed.items()}
        return replace(
            own,
            names=tuple(_split(name)[0] for name in own.names),
            failed={name: reason for (name, side), reason in failed.items() if side == anatomy},
        )

    @property
    def _is_single(self) -> bool:
        return len(self.members) == 1

    def _pooled(self, parts: list[tuple[str, GroomedShapes]]) -> GroomedShapes:
        if self._is_single:
            return parts[0][1]
        pool = no_shapes()
        for anatomy, shapes in parts:
            for name, surface in zip(shapes.names, shapes.surfaces, strict=True):
                alignment = shapes.alignments[name]
                shape = f"{name}/{anatomy}"
                pool.add(shape, shapes.splits[name], shapes.files[name], surface, alignment)
        return pool


def _split(name: str) -> tuple[str, str]:
    subject, _, anatomy = name.rpartition("/")
    return subject, anatomy
