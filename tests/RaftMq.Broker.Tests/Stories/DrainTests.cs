using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>A node that stops in good order: what it leads goes to others first, and its next start finds next to nothing to do.</summary>
public sealed class DrainTests
{
    /// <summary>The shortest time after which a follower that hears nothing elects.</summary>
    private const int ElectionMs = 600;

    [Fact]
    public void A_node_that_stops_hands_over_all_that_it_leads_before_it_says_drained()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        cluster.CreateTopic("t", partitions: 6);
        ClusterNode leaving = cluster[cluster[1].Broker.Cluster.ControllerLeader!.Value.Value];
        Replica[] led = Led(leaving);
        Assert.True(led.Length > 2);
        Assert.Contains(led, replica => replica.Name is GroupName.Controller);

        leaving.Broker.BeginDrain();
        cluster.Until(() => leaving.Broker.IsDrained, "it is drained", withinMs: ElectionMs / 2);

        Assert.Empty(Led(leaving));
        Assert.All(led, replica => Assert.NotNull(cluster.LeaderOf(replica.Group)));
        cluster.Pass(20_000);
        Assert.Empty(Led(leaving));
    }

    [Fact]
    public void A_node_that_stops_waits_for_those_who_do_not_take_over_but_not_for_ever()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        ClusterNode leaving = cluster.LeaderOf(cluster.CreateTopic("t").Partitions[0].Group)!;
        cluster.Alter = static (_, _, message) => message is PeerMessage.ForGroup { Message: TimeoutNow } ? null : message;

        leaving.Broker.BeginDrain();
        cluster.Pass(4_500);
        Assert.False(leaving.Broker.IsDrained);
        cluster.Pass(600);
        Assert.True(leaving.Broker.IsDrained);
    }

    [Fact]
    public void A_node_that_stops_alone_waits_for_nobody()
    {
        WholeCluster cluster = WholeCluster.Started(1);
        cluster.CreateTopic("t");
        cluster[1].Broker.BeginDrain();
        cluster.Pass(20);
        Assert.True(cluster[1].Broker.IsDrained);
    }

    /// <summary>Sends are on their way when the leader is told to stop, and they go on to be sent until after its process is gone.</summary>
    [Fact]
    public void A_producer_goes_on_while_the_leader_stops()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leaving = cluster.LeaderOf(group)!;
        var producer = new SteadyProducer(cluster, group);
        producer.GoOnFor(100);

        // Followers that take 50 ms to write: nothing of what is on its way then is lost, and nothing stored twice.
        Hang(cluster, leaving, hangs: true);
        producer.GoOnFor(20);
        Assert.True(producer.InFlight > 1);
        leaving.Broker.BeginDrain();
        producer.GoOnFor(50);
        Hang(cluster, leaving, hangs: false);
        producer.GoOnUntil(() => leaving.Broker.IsDrained, withinMs: 2 * ElectionMs);
        leaving.Kill();
        producer.GoOnFor(2_000);
        producer.FinishWithin(1_000);

        Assert.InRange(producer.LongestGapMs, 50, ElectionMs / 2);
        Assert.NotEqual(leaving, cluster.LeaderOf(group));
        Assert.Equal(Enumerable.Range(0, producer.Acknowledged.Count).Select(n => (long)n), producer.Acknowledged);
        Assert.Equal(
            producer.Acknowledged.Count,
            ((Partition)cluster.ReplicaOf(cluster.LeaderOf(group)!.Id.Value, group).Machine).State.HighWatermark);
    }

    [Fact]
    public void A_node_that_stopped_in_good_order_reads_next_to_nothing_again()
    {
        WholeCluster cluster = WholeCluster.Started(1);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        for (int i = 0; i < 500; i++)
        {
            cluster.Produce(cluster[1], group, Batches.Plain());
            cluster.Settle();
        }

        Assert.True(ToReplay(cluster, group) > 400);
        cluster[1].Broker.BeginDrain();
        cluster.Until(() => cluster[1].Broker.IsDrained, "it is drained");
        cluster[1].Restart();

        Assert.InRange(ToReplay(cluster, group), 0, 32);
        Assert.Equal(500, ((Partition)cluster.ReplicaOf(1, group).Machine).State.HighWatermark);
    }

    private static Replica[] Led(ClusterNode node) => [.. node.Parts.Shard.Replicas.Values.Where(replica => replica.IsLeader)];

    /// <summary>Entries behind the checkpoint that the next start begins from, or this one began from.</summary>
    private static long ToReplay(WholeCluster cluster, GroupId group)
    {
        Storage.Log.GroupLog log = cluster.ReplicaOf(1, group).Log;
        return log.LastIndex - log.CheckpointedUpTo;
    }

    private static void Hang(WholeCluster cluster, ClusterNode leader, bool hangs)
    {
        foreach (ClusterNode follower in cluster.Nodes.Where(node => node != leader))
        {
            follower.DiskHangs = hangs;
        }
    }

    /// <summary>
    /// An idempotent producer as clients are: a batch each ten milliseconds, five on their way at most, and what is refused because another
    /// leads is sent to that one, in the same order.
    /// </summary>
    private sealed class SteadyProducer(WholeCluster cluster, GroupId group)
    {
        private const int InFlightMax = 5;

        private readonly List<(int Sequence, ProduceAnswer? Answer)> _inFlight = [];
        private int _nextSequence;
        private long _lastAckMs = cluster.NowMs;

        /// <summary>The offsets in the order of the acks.</summary>
        public List<long> Acknowledged { get; } = [];

        public long LongestGapMs { get; private set; }

        public int InFlight => _inFlight.Count;

        public void GoOnFor(int ms)
        {
            long end = cluster.NowMs + ms;
            GoOnUntil(() => cluster.NowMs >= end, ms + 10);
        }

        public void GoOnUntil(Func<bool> condition, int withinMs)
        {
            cluster.Until(
                () =>
                {
                    TakeAnswers();
                    if (_inFlight.Count < InFlightMax)
                    {
                        _inFlight.Add((_nextSequence++, null));
                    }

                    SendWhatIsNotSent();
                    return condition();
                },
                "the producer's condition", withinMs);
        }

        public void FinishWithin(int ms) => cluster.Until(
            () =>
            {
                TakeAnswers();
                SendWhatIsNotSent();
                return _inFlight.Count == 0;
            },
            "all is acknowledged", ms);

        private void TakeAnswers()
        {
            for (int i = 0; i < _inFlight.Count; i++)
            {
                if (_inFlight[i].Answer?.Outcome is { } outcome && outcome != ProduceOutcome.Stored)
                {
                    // Also one that came too early, before another one was stored that is sent again.
                    Assert.True(outcome is ProduceOutcome.NotLeader or ProduceOutcome.OutOfOrderSequence, outcome.ToString());
                    _inFlight[i] = (_inFlight[i].Sequence, null);
                }
            }

            while (_inFlight.Count > 0 && _inFlight[0].Answer is { Outcome: ProduceOutcome.Stored } stored)
            {
                Acknowledged.Add(stored.BaseOffset!.Value);
                LongestGapMs = Math.Max(LongestGapMs, cluster.NowMs - _lastAckMs);
                _lastAckMs = cluster.NowMs;
                _inFlight.RemoveAt(0);
            }
        }

        private void SendWhatIsNotSent()
        {
            if (cluster.LeaderOf(group) is not { } leader)
            {
                return;
            }

            for (int i = 0; i < _inFlight.Count; i++)
            {
                if (_inFlight[i].Answer is null)
                {
                    _inFlight[i] = (
                        _inFlight[i].Sequence, cluster.Produce(leader, group, Batches.Idempotent(7, _inFlight[i].Sequence), deadlineMs: 30_000));
                }
            }
        }
    }
}
