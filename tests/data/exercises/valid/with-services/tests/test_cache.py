from pytest import mark


@mark.check("cache", 2.5)
async def test_cached(solution):
    """It is cached."""
