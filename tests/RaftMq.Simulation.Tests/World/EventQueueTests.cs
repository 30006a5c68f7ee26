using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Tests.World;

public sealed class EventQueueTests
{
    [Fact]
    public void Events_come_by_time_and_then_in_the_order_of_scheduling()
    {
        RandomSource random = new(1);
        EventQueue queue = new();
        List<(long AtUs, int Number)> expected = [];
        for (int i = 0; i < 3000; i++)
        {
            expected.Add((random.Next(50), i));
            queue.Add(expected[i].AtUs, life: null, () => { });
        }

        expected.Sort();
        foreach ((long atUs, int number) in expected)
        {
            EventQueue.Scheduled next = queue.Take();
            Assert.Equal((atUs, (long)number), (next.AtUs, next.Number));
        }

        Assert.Equal(0, queue.Count);
    }
}
