"""What pyproject.toml cannot spell: four root folders become ``personae.*``.

The checkout has no ``personae/`` folder.  ``package_dir`` maps each root
folder to its dotted name, and everything that is built or installed uses
only the dotted names.  ``bdist_wheel`` tags one wheel for every CPython from
3.10 on, because the cffi module uses the stable ABI.
"""

from setuptools import find_packages, setup

FOLDERS = ("core", "brands", "hw", "plugins")

setup(
    packages=[
        f"personae.{name}"
        for top in FOLDERS
        for name in (top, *(f"{top}.{sub}" for sub in find_packages(top)))
    ],
    package_dir={f"personae.{top}": top for top in FOLDERS},
    cffi_modules=["hw/src/build.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
