using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Stories;

/// <summary>DURABLE, P-01: what consensus says has to wait for the disk waits for it on the way through the journal, too.</summary>
public sealed class DurableFirstTests
{
    [Fact]
    public void Vote_is_answered_only_once_the_journal_has_it()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        GroupId group = cluster.CreateTopic("t").Partitions[0].Group;
        ClusterNode leader = cluster.LeaderOf(group)!;
        ClusterNode voter = cluster.Nodes.First(node => node != leader);
        ClusterNode candidate = cluster.Nodes.Last(node => node != leader);
        cluster.Pass(500);
        Term before = cluster.ReplicaOf(voter.Id.Value, group).Term;
        Term term = before.Next;
        LogIndex last = cluster.ReplicaOf(candidate.Id.Value, group).DurableIndex;
        var answers = new List<VoteReply>();
        cluster.Alter = (from, to, message) =>
        {
            if (from == voter.Id && message is PeerMessage.ForGroup { Message: VoteReply reply } answered && answered.Group == group)
            {
                Assert.Equal(candidate.Id, to);
                answers.Add(reply);
            }

            return message;
        };

        voter.DiskHangs = true;
        WholeCluster.Inject(
            candidate.Parts.Shard.Context.Self, voter,
            new PeerMessage.ForGroup(group, new VoteRequest(term, last, before, LeadershipTransfer: true)));
        cluster.Settle();
        Assert.Equal(term, cluster.ReplicaOf(voter.Id.Value, group).Term);
        Assert.Empty(answers);

        voter.DiskHangs = false;
        cluster.Settle();
        Assert.Equal([true], answers.Where(answer => answer.Term == term).Select(answer => answer.Granted));
    }
}
