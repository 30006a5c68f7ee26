using System.Collections.Immutable;
using RaftMq.Broker.Balance;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Balance;

/// <summary>What makes placement even, case by case.</summary>
public sealed class BalancePlanTests
{
    /// <param name="nodes">Numbers with marks: d draining, x down, f full; a letter after a slash is the rack.</param>
    /// <param name="topics">Topics between semicolons, of each the replicas of its partitions between commas.</param>
    /// <param name="expected">Each partition that moves, and to where; empty where nothing is to do or can be done.</param>
    [Theory]
    [InlineData("what is even stays", "1 2 3", "1 2 3, 2 3 1, 3 1 2", "")]
    [InlineData("one more is even", "1 2 3", "1 2, 2 3, 3 1, 1 2", "")]
    [InlineData("an empty node gets its part", "1 2 3 4", "1 2 3, 2 3 1, 3 1 2, 1 2 3", "t0/1: 2 3 4; t0/0: 4 1 3; t0/3: 1 2 4")]
    [InlineData("of one replica each the fullest gives", "1 2", "1, 1, 1, 1", "t0/0: 2; t0/1: 2")]
    [InlineData("each topic, not all together", "1 2", "1, 1; 2, 2", "t0/0: 2; t1/0: 1")]
    [InlineData("and all together", "1 2 3", "1; 1; 1; 1", "t0/0: 2; t1/0: 3")]
    [InlineData("leaders change without a copy", "1 2 3", "1 2 3, 1 2 3, 1 2 3", "t0/0: 2 1 3; t0/1: 3 1 2")]
    [InlineData("leaders of all topics together", "1 2 3", "1 2 3; 1 2 3; 1 2 3", "t0/0: 2 1 3; t1/0: 3 1 2")]
    [InlineData("a rack more than it needs gives one", "1/a 2/a 3/b", "1 2", "t0/0: 1 3")]
    [InlineData("an uneven rack is no reason to share one", "1/a 2/b 3/b", "1 2, 1 3, 1 2, 1 3, 1 2, 1 3", "t0/0: 2 1; t0/1: 3 1; t0/2: 2 1; t0/3: 3 1")]
    [InlineData("who has no rack shares none", "1 2/a 3/a", "2 3", "t0/0: 2 1")]
    [InlineData("with too few racks they are shared evenly", "1/a 2/a 3/a 4/b 5/b", "1 2 3 4", "t0/0: 1 2 5 4")]
    [InlineData("nothing goes to a full disk", "1 2 3f", "1 2, 1 2, 1 2", "t0/0: 2 1")]
    [InlineData("but from there", "1 2 3f", "3 1, 3 1, 3 1, 3 1", "t0/0: 3 2; t0/1: 2 1; t0/2: 1 3")]
    [InlineData("nor to one that is down", "1 2 3x", "1 2, 1 2, 1 2", "t0/0: 2 1")]
    [InlineData("nor to one that is drained", "1 2 3d", "1 2, 1 2, 1 2", "t0/0: 2 1")]
    [InlineData("what is on a drained one is the drain's", "1 2 3d", "3 1, 3 1, 3 1", "")]
    [InlineData("where a rack is in the way two move", "1/a 2/a 3/b 4/b 5/c 6/c", "4 1, 4 1, 3 1, 2 5, 6 2, 5 6", "t0/5: 5 3; t0/0: 4 6; t0/1: 1 4")]
    public void The_table(string why, string nodes, string topics, string expected)
    {
        ImmutableArray<BalanceMove> plan = BalancePlan.All(Nodes(nodes), Topics(topics));

        string text = string.Join("; ", plan.Select(m => $"{m.Topic.Name}/{m.Partition.Number}: {string.Join(' ', m.To.Select(r => r.Node.Value))}"));
        Assert.True(expected == text, $"{why}: {text}");
    }

    private static ReplicaPlace[] Nodes(string text) =>
    [
        .. text.Split(' ').Select(word =>
        {
            string[] parts = word.Split('/');
            return new ReplicaPlace(
                Replica(parts[0][0]), parts.Length > 1 ? parts[1] : null, parts[0].Contains('d') ? NodeDuty.Draining : NodeDuty.Serving,
                !parts[0].Contains('x'), !parts[0].Contains('f'));
        }),
    ];

    private static TopicInfo[] Topics(string text) =>
    [
        .. text.Split("; ").Select((topic, t) => new TopicInfo(
            $"t{t}", (UInt128)(t + 1), Internal: false,
            [
                .. topic.Split(", ").Select((partition, number) => new PartitionInfo(
                    number, new GroupId((UInt128)((100 * t) + number)), [.. partition.Split(' ').Select(word => Replica(word[0]))])),
            ],
            ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal))),
    ];

    private static ReplicaId Replica(char digit) => new(new NodeId(digit - '0'), new StoreId((UInt128)(digit - '0')));
}
