using RaftMq.Broker.Digests;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Digests;

public sealed class DigestTallyTests
{
    private static readonly Membership s_three = Membership.Of([Node(1), Node(2), Node(3)]);
    private readonly DigestTally _tally = new();

    [Fact]
    public void Two_of_three_are_right_whoever_speaks_last()
    {
        foreach (int odd in (int[])[1, 2, 3])
        {
            _tally.Clear();
            List<ReplicaId> diverged = [];
            foreach (int node in (int[])[3, 1, 2])
            {
                diverged.AddRange(Say(node, hash: node == odd ? 7UL : 5UL).Diverged);
            }

            Assert.Equal([Node(odd)], diverged);
        }
    }

    [Fact]
    public void Nobody_is_judged_before_a_majority_has_spoken()
    {
        Assert.Empty(Say(1, hash: 5).Diverged);
        DigestVerdict verdict = Say(2, hash: 7);
        Assert.Empty(verdict.Diverged);
        Assert.False(verdict.IsUndecided);
    }

    [Fact]
    public void Three_different_states_are_told_of_once_and_nobody_is_judged()
    {
        Say(1, hash: 5);
        Say(2, hash: 6);
        DigestVerdict verdict = Say(3, hash: 7);
        Assert.True(verdict.IsUndecided);
        Assert.Empty(verdict.Diverged);
        Assert.False(Say(3, hash: 7).IsUndecided);
    }

    [Fact]
    public void A_learner_is_judged_and_judges_nobody()
    {
        Membership membership = new([Node(1), Node(2), Node(3)], [], [Node(4), Node(5)]);
        Say(1, hash: 5, membership);
        Assert.Empty(Say(4, hash: 7, membership).Diverged);
        Assert.Empty(Say(5, hash: 7, membership).Diverged);
        Assert.Equal([Node(4), Node(5)], Say(2, hash: 5, membership).Diverged);
    }

    [Fact]
    public void States_of_two_forms_say_nothing_about_each_other()
    {
        Say(1, hash: 5);
        Say(2, hash: 5);
        Assert.Empty(_tally.Add(Node(3), new StateDigest(new LogIndex(100), 2, 7), s_three).Diverged);
        _tally.Clear();
        Say(1, hash: 5);
        Say(2, hash: 6);
        Assert.False(_tally.Add(Node(3), new StateDigest(new LogIndex(100), 2, 7), s_three).IsUndecided);
    }

    [Fact]
    public void Who_is_no_member_is_not_heard_and_nobody_while_the_members_change()
    {
        Say(1, hash: 5);
        Assert.Empty(Say(4, hash: 5).Diverged);
        Assert.Empty(Say(2, hash: 7).Diverged);
        Membership joint = new([Node(1), Node(2)], [Node(1), Node(2), Node(3)], []);
        Assert.Empty(Say(3, hash: 7, joint).Diverged);
    }

    [Fact]
    public void Of_many_points_the_newest_are_kept()
    {
        for (int point = 1; point <= DigestPoints.Remembered + 1; point++)
        {
            _tally.Add(Node(1), new StateDigest(new LogIndex(point * 100), 1, 5), s_three);
        }

        _tally.Add(Node(2), new StateDigest(new LogIndex(100), 1, 5), s_three);
        Assert.Empty(Say(3, hash: 7).Diverged);
        _tally.Add(Node(2), new StateDigest(new LogIndex(200), 1, 5), s_three);
        Assert.Equal([Node(3)], _tally.Add(Node(3), new StateDigest(new LogIndex(200), 1, 7), s_three).Diverged);
    }

    private DigestVerdict Say(int node, ulong hash, Membership? membership = null) =>
        _tally.Add(Node(node), new StateDigest(new LogIndex(100), 1, hash), membership ?? s_three);

    private static ReplicaId Node(int id) => new(new NodeId(id), new StoreId((UInt128)id));
}
