import time, pytest
from datetime import timedelta
from protocol.stages import *
from tests.workflows.people import People
pytestmark = pytest.mark.asyncio

async def lag(home, what, s=3):
    t=time.time()
    await home.pass_time(timedelta(seconds=s))
    print("LAG", what, round(time.time()-t,2))

@pytest.mark.parametrize("n", range(8))
async def test_probe(home,n):
    await lag(home,"start", 60)
    people = await People.called(home)
    await people.lead_to(Stage.INVESTIGATION)
    if n%2: home.sink.put_off.add("duty@interpol.invalid")
    await people.close()
    await lag(home,"close")
