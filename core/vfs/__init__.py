"""The virtual file system: vnodes, file systems, path lookup, streams.

The public face for the rest of the core and for brands.  Nothing here knows an
operating system: flags, ioctls and terminal modes are neutral, the brand
translates its numbers.
"""
