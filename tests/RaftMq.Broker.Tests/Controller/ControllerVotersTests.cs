using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Controller;

/// <summary>Who votes in the controller group, as nodes come and go.</summary>
public sealed class ControllerVotersTests
{
    /// <param name="members">Voters, then learners behind a bar: "1 2 3 | 4".</param>
    /// <param name="nodes">
    /// Registered nodes with marks: d draining, l leaving with replicas left, g leaving with nothing left, x down, b behind; a letter after a slash is
    /// the rack.
    /// </param>
    /// <param name="expected">The members after all that can be done, in steps behind arrows.</param>
    [Theory]
    [InlineData("one node", "1", "1", "")]
    [InlineData("two nodes both vote", "1 2", "1 2", "")]
    [InlineData("a second one comes", "1", "1 2", "1 | 2 > 1 2")]
    [InlineData("a third one comes", "1 2", "1 2 3", "1 2 | 3 > 1 2 3")]
    [InlineData("a new one does not vote before it has caught up", "1 2", "1 2 3b", "1 2 | 3")]
    [InlineData("a fourth one listens", "1 2 3", "1 2 3 4", "1 2 3 | 4")]
    [InlineData("with five, five vote", "1 2 3 | 4", "1 2 3 4 5", "1 2 3 | 4 5 > 1 2 3 4 5")]
    [InlineData("a sixth one listens", "1 2 3 4 5", "1 2 3 4 5 6", "1 2 3 4 5 | 6")]
    [InlineData("of four that formed, three vote", "1 2 3 4", "1 2 3 4", "1 2 3 | 4")]
    [InlineData("it is the one that is down that goes", "1 2 3 4", "1 2x 3 4", "1 3 4 | 2")]
    [InlineData("the leader stays", "1 2 3 4", "1 2 3 4 *4", "1 2 4 | 3")]
    [InlineData("of two on one rack, one goes", "1 2 3 4", "1/a 2/a 3/b 4/c", "1 3 4 | 2")]
    [InlineData("one that is down is not replaced", "1 2 3 | 4", "1 2 3x 4", "")]
    [InlineData("a majority that is down is not either", "1 2 3 | 4", "1 2x 3x 4", "")]
    [InlineData("a draining one is, by one that is ready", "1 2 3 | 4", "1 2d 3 4", "1 3 4 | 2")]
    [InlineData("but not by one that is behind", "1 2 3 | 4", "1 2d 3 4b", "")]
    [InlineData("nor by one that is down", "1 2 3 | 4", "1 2d 3 4x", "")]
    [InlineData("where nobody else is, a draining one goes on voting", "1 2 3", "1 2d 3", "")]
    [InlineData("and so does one that leaves as long as it holds something", "1 2 3", "1 2l 3", "")]
    [InlineData("one with nothing left goes", "1 2 3", "1 2g 3", "1 3")]
    [InlineData("one that is lost with nothing left goes", "1 2 3", "1 2gx 3", "1 3")]
    [InlineData("and is replaced where somebody can", "1 2 3 | 4", "1 2gx 3 4", "1 3 4")]
    [InlineData("a learner that leaves goes", "1 2 3 | 4", "1 2 3 4g", "1 2 3")]
    [InlineData("of five, one leaves: three vote", "1 2 3 4 5", "1 2 3 4 5g", "1 2 3 | 4")]
    [InlineData("the leader may leave", "1 2 3 | 4", "1 2 3g 4 *3", "1 2 4")]
    [InlineData("the substitute is of a rack that has no voter", "1 2 3 | 4", "1/a 2/b 3d/c 4/a", "1 2 4 | 3")]
    [InlineData("two drain at once, and the one that is ready takes one place", "1 2 3 | 4", "1d 2d 3 4 *3", "2 3 4 | 1")]
    [InlineData("one that has not registered yet is left alone", "1 2 3", "1 2", "")]
    [InlineData("a number comes back with another folder only after the old one left", "1 2 3", "1 2' 3", "1 3 > 1 3 | 2' > 1 2' 3")]
    public void The_table(string why, string members, string nodes, string expected)
    {
        Membership current = Parse(members);
        var steps = new List<string>();
        for (int i = 0; i < 10 && Step(current, nodes) is { } next; i++)
        {
            current = next;
            steps.Add(Text(current));
        }

        Assert.True(steps.Count < 10, $"{why}: does not end: {string.Join(" > ", steps)}");
        Assert.Equal(expected, string.Join(" > ", steps));
    }

    [Fact]
    public void While_one_change_is_under_way_nothing_else_is_begun() =>
        Assert.Null(ControllerVoters.Next(
            new Membership([Of("1")], [Of("2")], []), Of("1"), Nodes("1 2 3"), []));

    private static Membership? Step(Membership current, string nodes)
    {
        string[] words = nodes.Split(' ');
        ReplicaId leader = words.FirstOrDefault(w => w[0] == '*') is { } named ? Of(named[1..]) : current.Voters[0];
        if (ControllerVoters.Next(current, leader, Nodes(nodes), nodes.Contains('\'') ? [Of("2")] : []) is not { } next)
        {
            return null;
        }

        Assert.NotEmpty(next.Voters);
        return new Membership([.. next.Voters.Order()], [], [.. next.Learners.Order()]);
    }

    private static ControllerCandidate[] Nodes(string text) =>
    [
        .. text.Split(' ').Where(w => w[0] != '*').Select(word =>
        {
            string[] parts = word.Split('/');
            string marks = parts[0].TrimStart('1', '2', '3', '4', '5', '6').Trim('\'');
            bool down = marks.Contains('x');
            return new ControllerCandidate(
                Of(parts[0]), parts.Length > 1 ? parts[1] : null,
                marks.Contains('d') ? NodeDuty.Draining : marks.Contains('l') || marks.Contains('g') ? NodeDuty.Leaving : NodeDuty.Serving,
                marks.Contains('g'), !down, !down && !marks.Contains('b'));
        }),
    ];

    private static Membership Parse(string members)
    {
        string[] halves = members.Split('|', StringSplitOptions.TrimEntries);
        return new Membership(All(halves[0]), [], halves.Length > 1 ? All(halves[1]) : []);

        static ReplicaId[] All(string half) => [.. half.Split(' ').Select(Of)];
    }

    private static ReplicaId Of(string word) =>
        new(new NodeId(word[0] - '0'), new StoreId((UInt128)(word.Contains('\'') ? 100 : 1)));

    private static string Text(Membership membership)
    {
        string voters = string.Join(' ', membership.Voters.Select(Word));
        return membership.Learners.Count == 0 ? voters : $"{voters} | {string.Join(' ', membership.Learners.Select(Word))}";

        static string Word(ReplicaId replica) => replica.Node.Value + (replica.Store.Value == 100 ? "'" : "");
    }
}
