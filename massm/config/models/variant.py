"""Config of a variant: a row of the comparison by the weights of another."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from massm.config.faults import described
from massm.config.merging import merge
from massm.config.models.family import EntryConfig, NetworkConfig


class VariantConfig(EntryConfig):
    """The network of another entry, which predicts otherwise and is not trained again."""

    family: Literal["variant"] = Field(description="No family of its own: that of the other entry.")
    of: str = Field(description="Entry of a trained family whose weights it predicts with.")
    changes: dict[str, Any] = Field(
        description="Differences from that entry's values, of keys that only prediction looks at."
    )

    @property
    def weights_of(self) -> str:
        """Name of the entry that is trained for it."""
        return self.of

    def meant(self, models: Mapping[str, EntryConfig]) -> NetworkConfig:
        """Return the other entry's section with the changes, and this entry's label.

        Raises:
            ValueError: If the other entry is not trained, or the changes do not fit it.
        """
        base = models[self.of]
        if not isinstance(base, NetworkConfig):
            raise ValueError(f"{self.of} is of the family {base.family}, which is not trained")
        return self._changed(base)

    def faults_of_changes(self, models: Mapping[str, EntryConfig]) -> Iterator[tuple[str, str]]:
        """Say why it is no variant of another entry: the key, then the reason."""
        base = models.get(self.of)
        if base is None:
            yield "of", f"{self.of} is not among models, found [{', '.join(models)}]"
        elif isinstance(base, VariantConfig):
            yield "of", f"{self.of} is a variant itself; name an entry that is trained"
        elif not isinstance(base, NetworkConfig):
            yield "of", f"{self.of} is of the family {base.family}, which is not trained"
        elif self._trained_keys(base):
            yield from self._trained_keys(base)
        else:
            yield from self._bad_values(base)

    def _changed(self, base: NetworkConfig) -> NetworkConfig:
        values = merge(base.model_dump(mode="json"), self.changes)
        return type(base).model_validate(values | {"label": self.label})

    def _trained_keys(self, base: NetworkConfig) -> list[tuple[str, str]]:
        """List the changes that prediction alone does not look at."""
        free = ", ".join(sorted(base.at_prediction)) or "no key"
        advice = (
            f"a variant of {self.of} can differ in {free}; what differs otherwise is trained for "
            f"itself: an entry with like: {self.of}"
        )
        return [
            (f"changes.{key}", f"{'' if key in base.learned() else 'unknown key, '}{advice}")
            for key in self.changes
            if key not in base.at_prediction
        ]

    def _bad_values(self, base: NetworkConfig) -> Iterator[tuple[str, str]]:
        try:
            changed = self._changed(base)
        except ValidationError as error:
            for fault in error.errors():
                path = ("changes", *fault["loc"])
                key, _, reason = described({**fault, "loc": path}).partition(": ")
                yield key, reason
            return
        if changed.result_relevant() == base.result_relevant():
            yield "changes", f"no value is other than in {self.of}, so both would predict the same"
