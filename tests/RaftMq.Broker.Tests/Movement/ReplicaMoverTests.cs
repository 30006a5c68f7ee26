using RaftMq.Broker.Movement;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Movement;

/// <summary>The next step of a movement, by a table: voters, learners and what the leader (node 1) knows of them.</summary>
public sealed class ReplicaMoverTests
{
    private const int Window = 10;

    [Theory]

    // Nothing to do.
    [InlineData("1 2 3", "", "1 2 3", "settled")]
    [InlineData("1 2 3", "", "3 1 2", "settled")]

    // Who comes listens first, all at once; who is not wanted any more stops listening.
    [InlineData("1 2 3", "", "1 2 4", "learners 4")]
    [InlineData("1 2 3", "", "1 2 4 5", "learners 4 5")]
    [InlineData("1 2 3", "4", "1 2 5", "learners 5")]
    [InlineData("1 2 3", "4", "1 2 4 5", "learners 4 5")]
    [InlineData("1 2 3", "4", "1 2 3", "learners -")]
    [InlineData("1", "", "2", "learners 2")]

    // Then the voters change, in one go.
    [InlineData("1 2 3", "4", "1 2 4", "voters")]
    [InlineData("1 2 3", "4 5", "1 4 5", "voters")]
    [InlineData("1 2 3", "", "1", "voters")]
    [InlineData("1 2 3", "", "1 2", "voters")]

    // A leader that goes hands over to who stays, in the order wished for; else it goes with the change.
    [InlineData("1 2 3", "4", "4 3 2", "hand over 3")]
    [InlineData("1 2 3", "", "2 3", "hand over 2")]
    [InlineData("1 2 3", "4 5 6", "4 5 6", "voters")]
    [InlineData("1", "2", "2", "voters")]
    public void Steps(string voters, string learners, string wanted, string expected) =>
        Assert.Equal(expected, Next(View(voters, learners), wanted));

    [Fact]
    public void Nothing_begins_while_a_change_is_under_way()
    {
        MoveView view = View("1 2 3", "");

        Assert.Equal("await change", Next(view with { Membership = view.Membership with { OutgoingVoters = Nodes("1 2") } }, "1 2 4"));
        Assert.Equal("await change", Next(view with { MembershipIndex = view.Commit.Next }, "1 2 4"));
        Assert.Equal("await change", Next(view with { MembershipIndex = view.Commit.Next }, "1 2 3"));
    }

    [Theory]
    [InlineData(100, 100, 0, 0, false, true)]
    [InlineData(90, 100, 1_000, 0, false, true)]
    [InlineData(89, 100, 1_000, 0, false, false)]
    [InlineData(60, 1_000, 20, 0, false, true)]
    [InlineData(60, 1_000, 21, 0, false, false)]

    // Not the entry that made it a learner: whatever it has is of a replica that left.
    [InlineData(49, 55, 0, 0, false, false)]
    [InlineData(50, 55, 0, 0, false, true)]
    [InlineData(100, 100, 0, 13, false, false)]
    [InlineData(100, 100, 0, 0, true, false)]
    public void A_learner_votes_once_it_has_caught_up(long match, long last, int ticksBehind, int ticksSilent, bool inSnapshot, bool votes)
    {
        MoveView view = View("1 2 3", "4") with
        {
            LastIndex = new LogIndex(last),
            Progress = [Peer(2), Peer(3), new PeerProgress(Node(4), false, new LogIndex(match), ticksBehind, ticksSilent, inSnapshot, 0, 0)],
        };

        Assert.Equal(votes ? "voters" : "await 4", Next(view, "1 2 3 4"));
    }

    [Fact]
    public void Who_is_far_behind_is_not_handed_over_to()
    {
        MoveView view = View("1 2 3 4", "") with { Progress = [Peer(2) with { Match = new LogIndex(10) }, Peer(3), Peer(4)] };

        Assert.Equal("hand over 3", Next(view, "2 3 4"));
        Assert.Equal("voters", Next(view, "2 3 4", mayHandOver: false));
    }

    [Fact]
    public void Without_a_majority_of_the_wanted_the_voters_stay()
    {
        MoveView view = View("1 2 3", "") with { Progress = [Peer(2) with { Match = new LogIndex(10) }, Peer(3)] };

        Assert.Equal("await 2", Next(view, "2 3"));
        Assert.Equal("await 2", Next(view, "1 2"));
        Assert.Equal("voters", Next(view, "1 3"));
    }

    private static string Next(in MoveView view, string wanted, bool mayHandOver = true) =>
        ReplicaMover.Next(view, Nodes(wanted), Window, mayHandOver) switch
        {
            MoveStep.Settled => "settled",
            MoveStep.AwaitChange => "await change",
            MoveStep.AwaitCatchUp step => $"await {Names(step.Learners)}",
            MoveStep.SetLearners step => $"learners {Names(step.Learners)}",
            MoveStep.HandOver step => $"hand over {step.To.Value}",
            MoveStep.SetVoters => "voters",
            var step => step.ToString(),
        };

    private static MoveView View(string voters, string learners) => new(
        Node(1), new Membership(Nodes(voters), [], Nodes(learners)), new LogIndex(50), new LogIndex(100), new LogIndex(100),
        [.. Nodes(voters).Concat(Nodes(learners)).Where(r => r != Node(1)).Select(r => Peer(r.Node.Value))]);

    private static PeerProgress Peer(int node) => new(Node(node), true, new LogIndex(100), 0, 0, false, 0, 0);

    private static ReplicaId[] Nodes(string nodes) =>
        [.. nodes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => Node(int.Parse(n, System.Globalization.CultureInfo.InvariantCulture)))];

    private static ReplicaId Node(int node) => new(new NodeId(node), new StoreId((UInt128)node));

    private static string Names(IReadOnlyList<ReplicaId> replicas) =>
        replicas.Count == 0 ? "-" : string.Join(' ', replicas.Select(r => r.Node.Value));
}
