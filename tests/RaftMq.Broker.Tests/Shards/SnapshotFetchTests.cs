using RaftMq.Broker.Controller;
using RaftMq.Broker.Encoding;
using RaftMq.Broker.Partitions;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Shards;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Shards;

/// <summary>
/// A follower behind the start of its leader's log fetches the base checkpoint piece by piece: what is lost, late, wrong or damaged on the
/// way is asked for again, and nothing but the whole replaces its log.
/// </summary>
public sealed class SnapshotFetchTests
{
    private const int SegmentBytes = 128 << 10;

    /// <summary>So many producers make a state of more than one piece (<see cref="FollowerFeed.ChunkBytes"/>); each is 35 bytes of it.</summary>
    private const int Producers = 9_500;

    /// <summary>More in a test is a circle.</summary>
    private const int PiecesMax = 200;

    private static readonly Lazy<Disks> Made = new(MakeDisks);

    private WholeCluster _cluster = new(3);
    private readonly List<(NodeId From, long Position, int Bytes)> _pieces = [];
    private GroupId _group;
    private ClusterNode _leader = null!;
    private ClusterNode _behind = null!;

    private sealed record Disks(MemoryDisk[] Media, GroupId Group, NodeId Behind);

    [Fact]
    public void A_follower_behind_the_logs_start_takes_the_pieces_one_by_one_and_has_the_same_state()
    {
        LeaveBehind();
        Watch();

        _behind.Start();
        UntilCaughtUp();

        Assert.True(_pieces.Count > 1);
        Assert.Equal(_pieces.Select(p => p.Position), _pieces.Select((_, i) => _pieces.Take(i).Sum(p => (long)p.Bytes)));
    }

    /// <summary>What goes over the pace is paid back before the next piece is read.</summary>
    [Fact]
    public void Pieces_are_sent_at_the_pace_of_recovery()
    {
        const int bytesPerSecond = 100 << 10;
        _cluster = new WholeCluster(3, new BrokerOptions { OffsetsPartitions = 1, Limits = new BrokerLimits { RecoveryBytesPerSecond = bytesPerSecond } });
        LeaveBehind();
        var sentAtMs = new List<long>();
        Watch((_, message) =>
        {
            if (message is PeerMessage.SnapshotChunk)
            {
                sentAtMs.Add(_cluster.NowMs);
            }

            return message;
        });

        _behind.Start();
        UntilCaughtUp();

        // The first piece is charged a tenth of a second that is there, and the rest of it when it is sent.
        Assert.True(_pieces.Count > 1);
        Assert.InRange(sentAtMs[1] - sentAtMs[0], (1000L * FollowerFeed.ChunkBytes / bytesPerSecond) - 150, 4_000);
    }

    [Fact]
    public void A_lost_piece_and_a_lost_question_are_asked_for_again_after_a_while()
    {
        LeaveBehind();
        int lost = 0;
        Watch((_, message) => message switch
        {
            PeerMessage.SnapshotWanted when lost == 0 => Lose(),
            PeerMessage.SnapshotChunk { Position: > 0 } when lost is 1 or 2 => Lose(),
            _ => message,
        });

        PeerMessage? Lose()
        {
            lost++;
            return null;
        }

        _behind.Start();
        long startMs = _cluster.NowMs;
        UntilCaughtUp();

        Assert.Equal(3, lost);
        Assert.InRange(_cluster.NowMs - startMs, 3_000, 10_000);
    }

    [Fact]
    public void Pieces_of_another_place_or_another_snapshot_are_passed_over()
    {
        LeaveBehind();
        bool isHeld = true;
        Watch((_, message) => isHeld && message is PeerMessage.SnapshotChunk { Position: > 0 } ? null : message);
        PeerSender leader = _leader.Parts.Shard.Context.Self;
        LogIndex baseIndex = Replica(_leader).Log.BaseIndex;
        byte[] noise = new byte[100];
        _behind.Start();
        _cluster.Until(() => _pieces.Count > 1, "one piece has come and the next one is awaited");

        WholeCluster.Inject(
            leader, _behind,
            new PeerMessage.SnapshotChunk(_group, baseIndex, 0, 200, noise),
            new PeerMessage.SnapshotChunk(_group, baseIndex, 1, 200, noise),
            new PeerMessage.SnapshotChunk(_group, baseIndex, long.MaxValue, long.MaxValue, noise),
            new PeerMessage.SnapshotChunk(_group, baseIndex, -1, 200, noise),
            new PeerMessage.SnapshotChunk(_group, baseIndex.Next, FollowerFeed.ChunkBytes, FollowerFeed.ChunkBytes, noise),
            new PeerMessage.SnapshotChunk(_group, baseIndex.Previous, 0, -1, default),
            new PeerMessage.SnapshotChunk(_group, baseIndex, 0, -1, default),
            new PeerMessage.SnapshotChunk(new GroupId(1), baseIndex, FollowerFeed.ChunkBytes, 100, noise));
        _cluster.Settle();
        isHeld = false;
        UntilCaughtUp();

        Assert.DoesNotContain(_behind.Events, e => e.Name == "SnapshotRefused");
        Assert.Equal(1, _pieces.Count(p => p.Position == 0));

        // Where none is under way a piece is nothing.
        WholeCluster.Inject(leader, _behind, new PeerMessage.SnapshotChunk(_group, baseIndex, 0, 100, noise));
        _cluster.Settle();
        AssertSameState();
    }

    [Fact]
    public void A_sender_that_dies_is_replaced_by_the_next_leader()
    {
        LeaveBehind();
        ClusterNode first = _leader;
        Watch((_, message) =>
            message is PeerMessage.SnapshotChunk { Position: > 0 } && _pieces[^1].From == first.Id ? null : message);
        _behind.Start();
        _cluster.Until(() => _pieces.Count > 1, "a piece has come and another was lost");
        Assert.False(IsCaughtUp);
        first.Kill();

        _cluster.Until(() => _cluster.LeaderOf(_group) is not null, "another leads");
        _leader = _cluster.LeaderOf(_group)!;
        UntilCaughtUp();

        Assert.Equal([first.Id, _leader.Id], _pieces.Select(p => p.From).Distinct());
    }

    [Fact]
    public void Damaged_pieces_replace_nothing_and_are_fetched_anew()
    {
        LeaveBehind();
        int damaged = 0;
        Watch((_, message) =>
        {
            if (message is not PeerMessage.SnapshotChunk { Position: 0 } piece || damaged++ > 0)
            {
                return message;
            }

            byte[] bytes = piece.Bytes.ToArray();
            bytes[200] ^= 1;
            return piece with { Bytes = bytes };
        });

        _behind.Start();
        UntilCaughtUp();

        Assert.Equal(2, damaged);
        Assert.Single(_behind.Events, e => e.Name == "SnapshotRefused");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(long.MaxValue)]
    public void A_sender_that_has_it_no_more_or_says_another_length_is_asked_for_all_of_it_again(long totalBytes)
    {
        LeaveBehind();
        int lies = 0;
        Watch((_, message) => message is PeerMessage.SnapshotChunk { Position: 0 } piece && lies++ == 0
            ? piece with { TotalBytes = totalBytes }
            : message);

        _behind.Start();
        UntilCaughtUp();

        Assert.NotEqual(0, lies);
    }

    [Fact]
    public void A_receiver_that_dies_on_the_way_begins_anew()
    {
        LeaveBehind();
        Watch((_, message) => message is PeerMessage.SnapshotChunk { Position: > 0 } ? null : message);
        _behind.Start();
        _cluster.Until(() => _pieces.Count > 1, "a piece has come and another was lost");
        _behind.Kill();
        Assert.Contains(_behind.Medium.Files, f => f.Contains("install", StringComparison.Ordinal));
        Watch();

        _behind.Start();
        UntilCaughtUp();

        Assert.Equal(0, _pieces[0].Position);
        _cluster.Until(
            () => !_behind.Medium.Files.Any(f => f.Contains("install", StringComparison.Ordinal)), "what was begun is cleared away");
    }

    [Fact]
    public void A_checkpoint_that_is_damaged_on_the_senders_disk_is_not_sent_before_another_replicas_takes_its_place()
    {
        LeaveBehind();
        string path = _leader.Medium.Files.Single(f => f.StartsWith(Replica(_leader).Log.Folder, StringComparison.Ordinal)
            && f.EndsWith($"base-{Replica(_leader).Log.BaseIndex.Value:d20}.checkpoint", StringComparison.Ordinal));
        _leader.Medium[path][200] ^= 1;
        bool mayMend = false;
        Watch((_, message) => message is PeerMessage.SnapshotChunk { TotalBytes: > 0 } && !mayMend ? null : message);

        _behind.Start();
        _cluster.Pass(5_000);
        Assert.False(IsCaughtUp);
        Assert.Contains(_leader.Events, e => e.Name == "LogDamaged" && e.Text.Contains(path, StringComparison.Ordinal));
        Assert.DoesNotContain(_behind.Events, e => e.Name == "SnapshotRefused");

        mayMend = true;
        UntilCaughtUp();
        _cluster.Until(() => _leader.Parts.Damaged.Count == 0, "it is mended");
    }

    private bool IsCaughtUp => _behind.Parts.Shard.Find(_group) is { } replica && replica.Applied == Replica(_leader).Applied;

    private Replica Replica(ClusterNode node) => _cluster.ReplicaOf(node.Id.Value, _group);

    /// <summary>One node misses all of the log that is left, and more of the state than one piece holds. Made once: it takes a while.</summary>
    private static Disks MakeDisks()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t", configs: ("segment.bytes", $"{SegmentBytes}")).Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode behind = cluster.Nodes.First(n => n != leader && n.Id != leader.Broker.Cluster.ControllerLeader);
        cluster.Pass(500);
        behind.Kill();
        ProduceAnswer last = null!;
        for (int producer = 1; producer <= Producers; producer++)
        {
            last = cluster.Produce(leader, group, Batches.Idempotent(producer, sequence: 0), deadlineMs: 60_000);
            if (producer % 500 == 0)
            {
                cluster.Settle();
            }
        }

        cluster.Pass(20);
        Assert.Equal(ProduceOutcome.Stored, last.Outcome);
        Assert.Equal(AdminOutcome.Done, cluster.Administer(leader, new AdminCommand.DeleteRecords("t", 0, -1)).Outcome);
        cluster.Until(
            () => cluster.Nodes.Where(n => n.IsUp).All(n => cluster.ReplicaOf(n.Id.Value, group).Log.BaseIndex.Value > Producers / 2),
            "the logs are cut");
        cluster.Pass(2_000);
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.Kill();
        }

        return new Disks([.. cluster.Nodes.Select(n => n.Medium)], group, behind.Id);
    }

    private void LeaveBehind()
    {
        Disks disks = Made.Value;
        _group = disks.Group;
        _behind = _cluster[disks.Behind.Value];
        foreach (ClusterNode node in _cluster.Nodes)
        {
            node.Medium = disks.Media[node.Id.Value - 1].Copy();
            if (node != _behind)
            {
                node.Start();
            }
        }

        _cluster.Until(() => _cluster.LeaderOf(_group) is not null, "two nodes have a leader");
        _leader = _cluster.LeaderOf(_group)!;
        Assert.True(Replica(_leader).Log.BaseIndex.Value > Producers / 2);
    }

    /// <summary>Notes the pieces that are sent and does to each message what a test wants.</summary>
    private void Watch(Func<NodeId, PeerMessage, PeerMessage?>? alter = null)
    {
        _pieces.Clear();
        _cluster.Alter = (from, _, message) =>
        {
            if (message is PeerMessage.SnapshotChunk piece)
            {
                _pieces.Add((from, piece.Position, piece.Bytes.Length));
                Assert.True(_pieces.Count < PiecesMax, "pieces are sent in a circle");
            }

            return alter is null ? message : alter(from, message);
        };
    }

    private void UntilCaughtUp()
    {
        _cluster.Until(() => IsCaughtUp, "the follower has everything");
        AssertSameState();
    }

    private void AssertSameState()
    {
        Assert.Equal(StateOf(_leader), StateOf(_behind));
        PartitionState state = ((Partition)Replica(_behind).Machine).State;
        Assert.Equal((Producers, Producers, Producers), (state.LogStart, state.HighWatermark, state.Producers.Count));
    }

    private byte[] StateOf(ClusterNode node)
    {
        var writer = new ByteWriter();
        Replica(node).Machine.WriteSnapshot(writer);
        return writer.ToArray();
    }
}
