"Tests of a file share what they prepare, so one worker runs them all; notebooks share nothing, and go wherever there is room."
import os, signal

import pytest

signal.signal(signal.SIGINT, signal.default_int_handler) # Who runs in the background inherits that it is ignored, and so would every process that a test interrupts
os.environ.setdefault('OMP_WAIT_POLICY', 'passive') # Two workers on two cores: a thread that waits by spinning keeps another from working, and chapters take three times as long

@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling
    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition('::')[0]
            return nodeid if file.endswith('test_notebooks.py') else file
    return ByFile(config, log)
