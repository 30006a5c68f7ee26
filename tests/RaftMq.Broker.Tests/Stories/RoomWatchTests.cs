using RaftMq.Broker.Shards;

namespace RaftMq.Broker.Tests.Stories;

public sealed class RoomWatchTests
{
    [Fact]
    public void A_full_disk_is_told_once_however_often_it_is_seen_and_its_end_once_it_lasts()
    {
        List<string> told = [];
        var watch = new RoomWatch(one => told.Add(one.Name));

        foreach (int without in (int[])[0, 3, 0, 2, 0, 0, 0, 0])
        {
            watch.Look(without);
        }

        Assert.Equal(["DiskFull"], told);
        watch.Look(0);
        watch.Look(0);
        Assert.Equal(["DiskFull", "DiskHasRoom"], told);
        watch.Look(1);
        Assert.Equal(["DiskFull", "DiskHasRoom", "DiskFull"], told);
    }
}
