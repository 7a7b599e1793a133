"""brands of personae."""

if __name__ != "personae.brands":  # the checkout is on sys.path: refuse a second copy
    raise ImportError(f"import personae.brands, not {__name__}")
