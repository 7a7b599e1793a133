# make docs: the documentation as HTML in build/docs; warnings are errors.
# Everything else is ./check and ./demo.
.PHONY: docs
docs:
	@bash -c '. .ci/setup.sh; venv=$$here/.venv-docs; make_venv "[docs]" && \
		"$$venv/bin/sphinx-build" -q -W --keep-going -b html docs build/docs && \
		echo "the documentation is in build/docs/index.html"'
