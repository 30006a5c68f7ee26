using System.Collections.Immutable;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>Where the replicas of drained nodes go.</summary>
public sealed class DrainPlanTests
{
    /// <param name="nodes">Numbers with marks: d draining, l leaving, x down; a letter after a slash is the rack.</param>
    /// <param name="partitions">Replicas of each, with commas between partitions; behind a bar what leaves.</param>
    /// <param name="expected">Partition and its new replicas; empty where nothing is to do or can be done.</param>
    [Theory]
    [InlineData("nothing is drained", "1 2 3 4", "1 2 3", "")]
    [InlineData("the one node left takes its place", "1 2d 3 4", "1 2 3", "0: 1 4 3")]
    [InlineData("the preferred leader's place too", "1d 2 3 4", "1 2 3", "0: 4 2 3")]
    [InlineData("a dead one that leaves is replaced as well", "1 2lx 3 4", "1 2 3", "0: 1 4 3")]
    [InlineData("where nobody is left nothing is moved", "1 2d 3", "1 2 3", "")]
    [InlineData("nor to one that is down", "1 2d 3 4x", "1 2 3", "")]
    [InlineData("nor to one that is drained itself", "1 2d 3 4d", "1 2 3", "")]
    [InlineData("one after the other", "1 2d 3 4", "1 3 4, 1 2 3", "1: 1 4 3")]
    [InlineData("who has least takes it", "1 2d 3 4 5", "1 2 3, 1 3 4", "0: 1 5 3")]
    [InlineData("who is on a free rack comes first", "1/a 2d/b 3/c 4/a 5/b", "1 2 3, 1 5 3", "0: 1 5 3")]
    [InlineData("two at once", "1d 2d 3 4 5", "1 2 3", "0: 4 5 3")]
    [InlineData("and where only one can, that one", "1d 2d 3 4", "1 2 3", "0: 4 2 3")]
    [InlineData("what is under way is left alone", "1 2d 3 4", "1 4 3|2", "")]
    [InlineData("unless it goes to one that is drained now", "1 2d 3 4", "1 2 3|4", "0: 1 4 3")]
    [InlineData("only so many at a time", "1 2d 3 4", "1 4 3|2, 1 4 3|2, 1 2 3", "")]
    [InlineData("movements for other reasons do not count", "1 2d 3 4 5", "1 4 3|5, 1 4 3|5, 1 2 3", "2: 1 5 3")]
    public void The_table(string why, string nodes, string partitions, string expected)
    {
        DrainStep? step = DrainPlan.Next(Nodes(nodes), [Topic(partitions)], movesMax: 2);

        string text = step is { } next ? $"{next.Partition.Number}: {string.Join(' ', next.To.Select(r => r.Node.Value))}" : "";
        Assert.True(expected == text, $"{why}: {text}");
    }

    [Theory]
    [InlineData("1 2d 3", "1 2 3", true, "t/0 stays on node 2: no other node takes its 3 replicas")]
    [InlineData("1 2d 3 4x", "1 2 3", true, "t/0 stays on node 2: nodes 4 could take it and are down")]
    [InlineData("1 2lx 3 4", "2", false, "t/0 stays on node 2: it has no leader")]
    [InlineData("1 2d 3 4", "1 4 3|2", false, "t/0 stays on node 2: it has no leader")]
    [InlineData("1 2d 3 4", "1 2 3", true, null)]
    [InlineData("1 2d 3 4", "1 4 3|2", true, null)]
    [InlineData("1 2 3", "1 2 3", false, null)]
    public void What_stands_in_the_way_is_named(string nodes, string partitions, bool hasLeader, string? expected)
    {
        string[] told = [.. DrainPlan.Obstacles(Nodes(nodes), [Topic(partitions)], _ => hasLeader)];

        if (expected is null)
        {
            Assert.Empty(told);
        }
        else
        {
            Assert.StartsWith(expected, Assert.Single(told), StringComparison.Ordinal);
        }
    }

    private static ReplicaPlace[] Nodes(string text) =>
    [
        .. text.Split(' ').Select(word =>
        {
            string[] parts = word.Split('/');
            NodeDuty duty = parts[0].Contains('d') ? NodeDuty.Draining : parts[0].Contains('l') ? NodeDuty.Leaving : NodeDuty.Serving;
            return new ReplicaPlace(Replica(parts[0][0]), parts.Length > 1 ? parts[1] : null, duty, !parts[0].Contains('x'));
        }),
    ];

    private static TopicInfo Topic(string partitions) => new(
        "t", 1, Internal: false,
        [
            .. partitions.Split(", ").Select((text, number) =>
            {
                string[] halves = text.Split('|');
                ImmutableArray<ReplicaId> replicas = [.. halves[0].Split(' ').Select(word => Replica(word[0]))];
                ImmutableArray<ReplicaId> leaving = halves.Length == 1 ? [] : [.. halves[1].Split(' ').Select(word => Replica(word[0]))];
                return new PartitionInfo(number, new GroupId((UInt128)(100 + number)), replicas)
                {
                    Leaving = leaving,
                    Before = leaving.IsEmpty ? [] : [.. leaving, .. replicas.Skip(1)],
                };
            }),
        ],
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    private static ReplicaId Replica(char digit) => new(new NodeId(digit - '0'), new StoreId((UInt128)(digit - '0')));
}
