# Two commands do everything on a fresh machine with Python >= 3.11 and make:
#   make demo   sets up, then runs the main job: two textbook programs, their pictures, models and a page in unroll-demo/
#   make test   sets up, then runs the tests; make quick takes the quick ones, two cases of each
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed

.PHONY: demo test quick lint pictures gallery clean

demo: $(STAMP)
	$(BIN)/unroll demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

quick: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not slow" -q $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

pictures: $(STAMP)  # of the README
	$(BIN)/unroll draw examples/static_rnn_two_steps.py:with_static_rnn -o docs/static_rnn_two_steps.png
	$(BIN)/python -c "import unroll; from unroll.examples import static_rnn_two_steps as two; unroll.draw( \
	  two.with_static_rnn(), 'docs/static_rnn_two_steps_op.png', level='op', feeds={'X0': two.x, 'X1': two.x})"

gallery: $(STAMP)  # needs Chromium and its driver
	$(BIN)/python docs/make_gallery.py

clean:
	rm -rf $(VENV) build dist unroll-demo *.egg-info

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "unroll needs Python 3.11 or newer; this is " \
	  + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[digits]" --group dev
	@touch $(STAMP)
