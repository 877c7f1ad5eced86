import time, pytest
from datetime import timedelta
from protocol.stages import *
from tests.workflows.people import People
pytestmark = pytest.mark.asyncio

async def lag(home, what):
    t=time.time()
    await home.pass_time(timedelta(seconds=4))
    print("LAG", what, round(time.time()-t,2))

async def test_probe(home):
    people = await People.called(home)
    await lag(home,"called")
    await people.launch()
    await lag(home,"launched")
    await people.set_up_centre()
    await lag(home,"centre")
    await people.release_warning()
    await lag(home,"warning")
    await people.adopt_plan()
    await lag(home,"plan")
    home.sink.put_off.add("duty@interpol.invalid")
    await people.close()
    home.sink.put_off.clear()
    t=time.time()
    for n in range(15):
        await lag(home,"close")
    h=home.env.client.get_workflow_handle(f"campaign-{people.incident}.closure.1")
    for e in (await h.fetch_history()).events:
        from temporalio.api.enums.v1 import EventType
        print("EV", e.event_id, EventType.Name(e.event_type)[11:], e.event_time.ToDatetime().time())
