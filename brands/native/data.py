"""What the native brand keeps with a lwp."""

from __future__ import annotations

from dataclasses import dataclass, field

from personae.core.sync import CondVar


@dataclass
class LwpData:
    """Of a lwp.

    Attributes:
        unparked: An unpark came before the park.
        park: Where it sleeps in lwp_park().
    """

    unparked: bool = False
    park: CondVar = field(default_factory=CondVar)
