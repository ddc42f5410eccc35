"""What the run says of the claims that it is asked about."""

from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment | None:
    """Make the section; None where no claim could be tried."""
    claims = material.claims
    if not any(claim.parts for claim in claims):
        return None
    return Fragment(fill("sections/claims", claims=claims, confidence=material.shown.confidence))


SECTION = PageSection("claims", "The paper's claims on these subjects", "Claims", render)
