"""plugins of personae."""

if __name__ != "personae.plugins":  # the checkout is on sys.path: refuse a second copy
    raise ImportError(f"import personae.plugins, not {__name__}")
