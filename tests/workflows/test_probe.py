import time, pytest
from datetime import timedelta
from tests.workflows.cast import report
pytestmark = pytest.mark.asyncio

async def test_probe(home):
    t=time.time()
    i = await home.receive(report("a"), report("b", reporter="CSIRT of Exampleland"))
    print(i, time.time()-t)
    s = await home.when(i, lambda s: s.assessment_version > 0)
    print(s, time.time()-t)
    await home.pass_time(timedelta(minutes=40))
    print(time.time()-t, home.campaigns(i), home.sink.taken)
