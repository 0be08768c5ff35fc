"""The commands of `python -m segmodel`, a module each.

`add(commands)` adds the command's parser and returns it; `run(options)` does the work, with `options.command` the line that
was typed. Heavy modules are imported inside `run`, so that `--help` is quick.
"""

from __future__ import annotations

from . import average, calibrate, compare, evaluate, experiment, predict, prepare, train

COMMANDS = (prepare, train, average, evaluate, compare, calibrate, experiment, predict)
