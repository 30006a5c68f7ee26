using BenchmarkDotNet.Attributes;
using RaftMq.Raft;
using RaftMq.Testing.Raft;

namespace RaftMq.Benchmarks.Raft;

/// <summary>Consensus' own CPU for one batch of a group of three, on the leader and on a follower (<see cref="BareGroup"/>).</summary>
[MemoryDiagnoser]
public class RaftStepBenchmark
{
    private BareGroup _leader = null!;
    private BareGroup _follower = null!;

    [GlobalSetup]
    public void Setup()
    {
        _leader = BareGroup.Leader();
        _follower = new BareGroup(self: 2);
    }

    [Benchmark]
    public LogIndex Leader()
    {
        _leader.Lead();
        return _leader.Group.CommitIndex;
    }

    [Benchmark]
    public LogIndex Follower()
    {
        _follower.Follow();
        return _follower.Group.CommitIndex;
    }
}
