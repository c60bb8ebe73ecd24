"Tests of a file share what they prepare, so one worker runs them all; notebooks share nothing, and go wherever there is room."
import pytest

@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling
    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition('::')[0]
            return nodeid if file.endswith('test_notebooks.py') else file
    return ByFile(config, log)
