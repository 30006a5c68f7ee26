using RaftMq.Broker.Environment;

namespace RaftMq.Simulation.Tests.World;

public sealed class SimulatedSectionTests
{
    [Fact]
    public void Work_keeps_its_order_never_nests_and_every_turn_ends()
    {
        SmallWorld small = new();
        List<int> order = [];
        Owner owner = new();
        ISection section = small.Broker(0).Environment.CreateSection("s", owner);
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            section.Post(new Work(() =>
            {
                Assert.False(owner.IsInside);
                owner.IsInside = true;
                section.Post(new Work(() => order.Add(1000 + number)));
                order.Add(number);
                owner.IsInside = false;
                owner.IsDirty = true;
            }));
            if (i % 10 == 0)
            {
                small.RunFor(200);
            }
        }

        small.RunFor(1_000);
        Assert.Equal(Enumerable.Range(0, 100), order.Where(n => n < 1000));
        Assert.Equal(Enumerable.Range(1000, 100), order.Where(n => n >= 1000));
        Assert.False(owner.IsDirty);
    }

    private sealed class Owner : ISectionOwner
    {
        public bool IsInside { get; set; }

        public bool IsDirty { get; set; }

        public void EndTurn() => IsDirty = false;
    }

    private sealed class Work(Action action) : SectionWork
    {
        public override void Run() => action();
    }
}
