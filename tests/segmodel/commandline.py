"""`python -m segmodel` as the tests call it."""

from segmodel.__main__ import main

RECIPE = """
architecture = { name = "encode_once", width = 4, click_width = 4, fine_width = 4 }
size = 64
crop = [64, 64]
window = [-125, 275]
images = 2
passes = 2
steps = 2
"""


def run(*arguments):
    return main([str(argument) for argument in arguments])


def refusal(capsys, *arguments):
    """Run a command that must fail and return its one sentence."""
    assert run(*arguments) == 2
    shown = capsys.readouterr().err
    said = [line for line in shown.splitlines() if line.startswith("segmodel: ")]
    assert len(said) == 1
    assert "Traceback" not in shown
    assert said[0].endswith(".")
    return said[0].removeprefix("segmodel: ")
