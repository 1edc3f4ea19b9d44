from tests.support.metric_table import PAGE, with_tables


def test_the_page_of_metrics_is_current() -> None:
    """It says of every metric what the program says; ``make reference`` mends it."""
    assert PAGE.read_text() == with_tables(PAGE.read_text())
