using RaftMq.Broker.Leadership;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Leadership;

/// <summary>What each of some nodes makes of the others' words, where each hears some. A look is a beat.</summary>
public sealed class ConnectivityTests
{
    private const int BeatMs = 100;

    private readonly Dictionary<int, Connectivity> _nodes = [];
    private readonly HashSet<(int From, int To)> _cut = [];
    private readonly HashSet<int> _down = [];

    /// <summary>Nodes that do not know that they are of the cluster.</summary>
    private readonly HashSet<int> _unknown = [];
    private long _nowMs = 1_000;

    public ConnectivityTests()
    {
        for (int node = 1; node <= 5; node++)
        {
            _nodes.Add(node, new Connectivity(new NodeId(node)));
        }

        Pass(3_000);
        Assert.Equal("", Missed());
    }

    [Fact]
    public void Both_ends_of_a_broken_link_miss_each_other_and_nobody_else_does()
    {
        Cut(1, 2);
        Cut(2, 1);
        Pass(3_000);

        Assert.Equal("1:2 2:1", Missed());
        Assert.False(_nodes[1].IsLinked(new NodeId(2)));
        Assert.True(_nodes[3].IsLinked(new NodeId(2)));
    }

    [Fact]
    public void One_direction_that_is_broken_is_as_bad()
    {
        Cut(1, 2);
        Pass(3_000);

        Assert.Equal("1:2 2:1", Missed());
    }

    [Fact]
    public void A_node_that_is_down_is_missed_by_nobody()
    {
        _down.Add(1);
        Pass(3_000);
        Assert.Equal("", Missed());

        _down.Remove(1);
        for (int beats = 0; beats < 30; beats++)
        {
            Pass(BeatMs);
            Assert.Equal("", Missed());
        }
    }

    [Fact]
    public void Nobody_misses_a_node_that_nobody_hears()
    {
        for (int other = 2; other <= 5; other++)
        {
            Cut(1, other);
        }

        Pass(3_000);

        // It hears the others, and who else does.
        Assert.Equal("1:2345", Missed());
    }

    [Fact]
    public void A_node_that_hears_nobody_is_missed_by_all_others_alike()
    {
        for (int other = 2; other <= 5; other++)
        {
            Cut(other, 1);
        }

        Pass(3_000);

        Assert.Equal("2:1 3:1 4:1 5:1", Missed());
    }

    [Fact]
    public void Neither_half_of_a_network_that_is_cut_in_the_middle_misses_the_other()
    {
        foreach (int one in (int[])[1, 2])
        {
            foreach (int other in (int[])[3, 4, 5])
            {
                Cut(one, other);
                Cut(other, one);
            }
        }

        Pass(3_000);

        Assert.Equal("", Missed());
    }

    [Fact]
    public void Only_the_node_that_both_sides_hear_misses_nobody()
    {
        foreach (int one in (int[])[1, 2])
        {
            foreach (int other in (int[])[4, 5])
            {
                Cut(one, other);
                Cut(other, one);
            }
        }

        Pass(3_000);

        Assert.Equal("1:45 2:45 4:12 5:12", Missed());
    }

    [Fact]
    public void Missed_members_of_a_group_are_counted_by_each_node_s_own_word()
    {
        Cut(1, 2);
        Cut(1, 3);
        Pass(3_000);
        Membership of123 = Members(1, 2, 3);
        Membership of124 = Members(1, 2, 4);

        foreach (int asked in (int[])[1, 4])
        {
            Assert.Equal((2, 1), (_nodes[asked].MissedOf(new NodeId(1), of123), _nodes[asked].MissedOf(new NodeId(1), of124)));
            Assert.Equal(0, _nodes[asked].MissedOf(new NodeId(4), of124));
        }

        // Node 1 hears the word of 2, which it misses.
        Assert.Equal(1, _nodes[1].MissedOf(new NodeId(2), of123));
    }

    [Fact]
    public void A_word_that_is_lost_is_said_again_before_anybody_is_missed()
    {
        Cut(1, 2);
        Pass(700);
        _cut.Clear();
        for (int beats = 0; beats < 30; beats++)
        {
            Pass(BeatMs);
            Assert.Equal("", Missed());
        }
    }

    [Fact]
    public void A_node_that_does_not_know_that_it_is_of_the_cluster_misses_nobody_and_says_whom_it_hears()
    {
        _unknown.Add(2);
        Cut(1, 2);
        Pass(3_000);

        Assert.Equal("1:2", Missed());
        Assert.True(_nodes[3].IsLinked(new NodeId(2)));
    }

    [Fact]
    public void A_node_that_left_is_forgotten()
    {
        Cut(1, 2);
        Pass(3_000);
        _nodes[1].Look([new NodeId(3), new NodeId(4), new NodeId(5)], _ => true, isMember: true, _nowMs);

        Assert.Empty(_nodes[1].Missed);
        Assert.False(_nodes[1].IsLinked(new NodeId(2)));
    }

    private static Membership Members(params int[] nodes) => Membership.Of(nodes.Select(n => new ReplicaId(new NodeId(n), new StoreId((UInt128)n))));

    private void Cut(int from, int to) => _cut.Add((from, to));

    private bool Hears(int node, int other) => !_down.Contains(node) && !_down.Contains(other) && !_cut.Contains((other, node));

    /// <summary>Each looks, and says what it has to say to whoever hears it; now and then again.</summary>
    private void Pass(int ms)
    {
        for (; ms > 0; ms -= BeatMs)
        {
            _nowMs += BeatMs;
            foreach ((int node, Connectivity connectivity) in _nodes.Where(n => !_down.Contains(n.Key)))
            {
                IEnumerable<NodeId> others = _nodes.Keys.Where(n => n != node).Select(n => new NodeId(n));
                if (connectivity.Look(others, other => Hears(node, other.Value), isMember: !_unknown.Contains(node), _nowMs) || _nowMs % Connectivity.RepeatMs == 0)
                {
                    foreach (int other in _nodes.Keys.Where(n => n != node))
                    {
                        Say(node, other);
                    }
                }
            }
        }
    }

    private void Say(int node, int other)
    {
        if (Hears(other, node) && _nodes[other].Said(new NodeId(node), _nodes[node].Announcement))
        {
            Say(other, node);
        }
    }

    private string Missed() => string.Join(' ', _nodes
        .Where(n => !_down.Contains(n.Key) && n.Value.Missed.Count > 0)
        .Select(n => $"{n.Key}:{string.Concat(n.Value.Missed.Select(m => m.Value))}"));
}
