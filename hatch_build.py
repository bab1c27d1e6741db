"""How a wheel gets its one name: `phonehome.py` becomes the package's `__init__.py`."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class InstalledName(BuildHookInterface):  # type: ignore[type-arg] - hatchling is not installed here
    """Puts the library's face into the wheel; an editable installation reads the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build of this kind: `standard` or `editable`."""
        if version != "editable":
            build_data["force_include"]["phonehome.py"] = "__init__.py"  # below `sources`
