using RaftMq.Broker.Space;

namespace RaftMq.Broker.Tests.Space;

public sealed class RoomGaugeTests
{
    [Fact]
    public void Each_level_begins_at_its_mark_and_ends_an_eighth_above_it()
    {
        var gauge = new RoomGauge(new SpaceLimits { FreeBytesMin = 800, FreeBytesLow = 1600 });
        (long Free, RoomLevel Level)[] looks =
        [
            (1600, RoomLevel.Enough), (1599, RoomLevel.Low), (1799, RoomLevel.Low), (1800, RoomLevel.Enough), (800, RoomLevel.Low),
            (799, RoomLevel.Short), (800, RoomLevel.Short), (899, RoomLevel.Short), (900, RoomLevel.Low), (0, RoomLevel.Short), (5000, RoomLevel.Enough),
        ];
        foreach ((long free, RoomLevel level) in looks)
        {
            gauge.Look(free);
            Assert.Equal((free, level), (free, gauge.Level));
        }
    }

    [Fact]
    public void Zero_turns_a_mark_off()
    {
        var gauge = new RoomGauge(new SpaceLimits { FreeBytesMin = 0, FreeBytesLow = 0 });
        gauge.Look(0);
        Assert.Equal(RoomLevel.Enough, gauge.Level);
    }
}
