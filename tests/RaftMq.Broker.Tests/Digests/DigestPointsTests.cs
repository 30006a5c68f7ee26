using RaftMq.Broker.Digests;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Digests;

public sealed class DigestPointsTests
{
    private readonly DigestPoints _points = new(distanceEntries: 10);

    [Fact]
    public void A_state_is_digested_after_entries_that_every_replica_can_name()
    {
        Assert.Equal([10, 20, 30], Due(until: 35));
    }

    [Fact]
    public void A_large_state_is_digested_less_often_and_a_small_one_again_as_often()
    {
        _points.Take(new LogIndex(10), new byte[4 << 20]);
        Assert.Equal([40, 80], Due(until: 100));
        _points.Take(new LogIndex(80), new byte[1 << 20]);
        Assert.Equal([90, 100], Due(until: 100, from: 81));
    }

    [Fact]
    public void The_newest_digests_are_known_and_none_of_a_state_that_was_replaced()
    {
        for (int point = 1; point <= DigestPoints.Remembered + 1; point++)
        {
            _points.Take(new LogIndex(point * 10), [(byte)point]);
        }

        Assert.Null(_points.At(new LogIndex(10)));
        Assert.Equal(StateDigest.Of(new LogIndex(20), [2]), _points.At(new LogIndex(20)));
        Assert.NotEqual(StateDigest.Of(new LogIndex(20), [3]), _points.At(new LogIndex(20)));
        _points.Clear();
        Assert.Null(_points.At(new LogIndex(20)));
    }

    private IEnumerable<int> Due(int until, int from = 1) =>
        Enumerable.Range(from, until - from + 1).Where(index => _points.IsDue(new LogIndex(index)));
}
