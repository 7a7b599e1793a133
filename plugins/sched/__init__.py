"""Scheduling classes besides the kernel's TS and SYS: IA, FX, FSS, RT.

Each module has one class whose instances are plugins of ``ClassSpec``; the entry
points of group ``personae.classes`` name them.  docs/scheduling.md is their manual.
"""
