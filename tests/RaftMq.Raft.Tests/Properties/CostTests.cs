using System.Diagnostics;
using RaftMq.Testing.Raft;

namespace RaftMq.Raft.Tests.Properties;

/// <summary>What one batch costs a leader of three: proposal, two acknowledgements, its own write, the readies between.</summary>
public sealed class CostTests
{
    /// <summary>
    /// Measured 496 bytes: the result of Admit, one shared append message with its list, a token, queue growth; the two messages stepped
    /// are the test's own. The limit is what a careless list or closure per follower would exceed.
    /// </summary>
    private const long BytesPerBatchMax = 800;

    [Fact]
    public void Batch_allocates_little()
    {
        BareGroup leader = BareGroup.Leader();
        Lead(leader, 2000);

        long before = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        Lead(leader, 20_000);
        double micros = Stopwatch.GetElapsedTime(started).TotalMicroseconds / 20_000;
        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 20_000;

        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes} bytes, {micros:F2} µs per batch");
        Assert.Equal(leader.Group.LastIndex, leader.Group.CommitIndex);
        Assert.InRange(bytes, 0, BytesPerBatchMax);
    }

    private static void Lead(BareGroup leader, int batches)
    {
        for (int i = 0; i < batches; i++)
        {
            leader.Lead();
        }
    }
}
