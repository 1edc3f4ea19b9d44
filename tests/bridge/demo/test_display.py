import io

from rich.console import Console

from bridge.demo.display import PlainDisplay, TerminalDisplay


def test_a_pipe_gets_plain_lines() -> None:
    """No control characters, and the end is always shown."""
    stream = io.StringIO()
    with PlainDisplay(1_000, stream) as display:
        display.phase("writing")
        display.progress(500, 100)
        display.progress(1_000, 1_000)
    assert stream.getvalue() == "writing\nwritten 1,000, mirrored 1,000 of 1,000\n"


def test_a_terminal_gets_bars() -> None:
    """Both bars are drawn, and the terminal is as it was afterwards."""
    stream = io.StringIO()
    with TerminalDisplay(1_000, Console(file=stream, force_terminal=True, width=100)) as display:
        display.phase("writing")
        display.progress(500, 100)
    drawn = stream.getvalue()
    assert "writing" in drawn
    assert "500/1000" in drawn
    assert "100/1000" in drawn
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h")
