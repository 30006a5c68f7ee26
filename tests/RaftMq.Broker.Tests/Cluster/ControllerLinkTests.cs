using System.Collections.Immutable;
using RaftMq.Broker.Cluster;
using RaftMq.Broker.Controller;
using RaftMq.Broker.Peers;
using RaftMq.Broker.Tests.Support;
using RaftMq.Raft;
using WholeCluster = RaftMq.Broker.Tests.Support.Cluster;

namespace RaftMq.Broker.Tests.Cluster;

/// <summary>Questions to the controller's leader: asked again until answered or overdue, answered once.</summary>
public sealed class ControllerLinkTests
{
    private const int AskAgainMs = 1_000;
    private const int RefusedAgainMs = 100;
    private const ulong StartId = 77;

    private static readonly ControllerRequest.Administer Question = new ControllerRequest.Administer(new AdminCommand.AllocateProducerIds(10));
    private static readonly ControllerResponse Done = new(new AdminResult(AdminOutcome.Done, Number: 42), new LogIndex(7));
    private static readonly ControllerResponse NotHere = new(new AdminResult(AdminOutcome.NotController), LogIndex.Zero);
    private static readonly NodeId First = new(2);
    private static readonly NodeId Second = new(3);

    private readonly SentMessages _sent = new();
    private readonly PeerOutbox _outbox;
    private readonly ControllerLink _link;
    private readonly List<ControllerResponse> _answers = [];

    public ControllerLinkTests()
    {
        var self = new PeerSender(new ReplicaId(new NodeId(1), new StoreId(11)), new BootNumber(3));
        _outbox = new PeerOutbox(self, _sent, queueBytesMax: 1 << 20);
        _link = new ControllerLink(self, StartId, _outbox);
    }

    [Fact]
    public void A_question_goes_to_the_leader_and_is_answered_once()
    {
        Ask(First);
        PeerMessage.Request asked = Assert.Single(Requests(First));
        Assert.Equal(AdminCodec.Encode(new ControllerRequest.Once(StartId, asked.Id, Question)), asked.Body.ToArray());

        Answer(asked.Id, Done, nowMs: 10);
        Answer(asked.Id, Done, nowMs: 11);

        Assert.Equal(42, Assert.Single(_answers).Result.Number);
        _link.Tick(First, 60_000);
        Assert.Empty(Requests(First));
        Assert.Single(_answers);
    }

    /// <summary>A client's request may be longer than a frame between nodes, which the transport takes for a broken invariant.</summary>
    [Fact]
    public void A_question_that_is_too_long_is_refused_and_not_sent()
    {
        var command = new AdminCommand.DeleteTopic(new string('x', ControllerLink.QuestionBytesMax), UInt128.Zero);
        _link.Ask(new ControllerRequest.Administer(command), First, nowMs: 0, deadlineMs: 60_000, _answers.Add);
        Assert.Empty(Requests(First));
        Assert.Equal(AdminOutcome.Refused, Assert.Single(_answers).Result.Outcome);
    }

    [Fact]
    public void A_lost_answer_is_asked_for_again_under_the_same_id_of_whoever_leads_by_then()
    {
        Ask(First);
        long id = Assert.Single(Requests(First)).Id;
        _link.Tick(First, AskAgainMs - 1);
        Assert.Empty(Requests(First));

        _link.Tick(Second, AskAgainMs);

        Assert.Equal(id, Assert.Single(Requests(Second)).Id);

        // The first one's answer counts too, should it come after all.
        Answer(id, Done, AskAgainMs + 1);
        Assert.Single(_answers);
    }

    [Fact]
    public void Without_a_leader_a_question_waits_for_one()
    {
        Ask(leader: null);
        _link.Tick(leader: null, RefusedAgainMs);
        Assert.Empty(_sent.Take());

        _link.Tick(First, 2 * RefusedAgainMs);

        Assert.Single(Requests(First));
    }

    [Fact]
    public void A_leader_that_is_none_is_asked_again_soon_but_not_at_once()
    {
        Ask(First);
        long id = Assert.Single(Requests(First)).Id;
        Answer(id, NotHere, nowMs: 500);
        Assert.Empty(_answers);

        _link.Tick(First, 500 + RefusedAgainMs - 1);
        Assert.Empty(Requests(First));
        _link.Tick(Second, 500 + RefusedAgainMs);

        Assert.Equal(id, Assert.Single(Requests(Second)).Id);
    }

    [Fact]
    public void A_question_is_given_up_at_its_deadline_and_a_later_answer_changes_nothing()
    {
        Ask(First, deadlineMs: 5_000);
        long id = Assert.Single(Requests(First)).Id;
        _link.Tick(First, 4_999);
        Assert.Empty(_answers);

        _link.Tick(First, 5_000);
        Answer(id, Done, 5_001);

        Assert.Equal(AdminOutcome.TimedOut, Assert.Single(_answers).Result.Outcome);
    }

    [Fact]
    public void An_answer_to_a_question_of_before_the_restart_is_not_taken_for_another()
    {
        Ask(First);
        long id = Assert.Single(Requests(First)).Id;
        var before = new ControllerLink(new PeerSender(new ReplicaId(new NodeId(1), new StoreId(11)), new BootNumber(2)), StartId, _outbox);
        before.Ask(Question, First, 0, 10_000, _ => Assert.Fail("The process that asked is gone."));
        long old = Assert.Single(Requests(First)).Id;

        Assert.NotEqual(old, id);
        Answer(old, Done, 1);
        Assert.Empty(_answers);
    }

    [Fact]
    public void Each_question_says_which_is_the_oldest_that_is_open()
    {
        Ask(First);
        Ask(First);
        Ask(First);
        PeerMessage.Request[] asked = Requests(First);
        Assert.Equal([asked[0].Id, asked[0].Id, asked[0].Id], asked.Select(LowestOpen));

        Answer(asked[1].Id, Done, nowMs: 1);
        Ask(First);
        Assert.Equal(asked[0].Id, LowestOpen(Assert.Single(Requests(First))));

        Answer(asked[0].Id, Done, nowMs: 2);
        Ask(First);
        Assert.Equal(asked[2].Id, LowestOpen(Assert.Single(Requests(First))));
    }

    [Fact]
    public void What_only_asks_may_be_heard_twice()
    {
        var dry = new ControllerRequest.Administer(Create("t") with { ValidateOnly = true });
        _link.Ask(dry, First, nowMs: 0, deadlineMs: 60_000, _answers.Add);

        Assert.Equal(AdminCodec.Encode(dry), Assert.Single(Requests(First)).Body.ToArray());
    }

    [Fact]
    public void Too_many_open_questions_are_refused_at_once()
    {
        for (int i = 0; i < 10_000; i++)
        {
            Ask(leader: null);
        }

        Assert.Empty(_answers);
        Ask(leader: null);
        Assert.Equal(AdminOutcome.TimedOut, Assert.Single(_answers).Result.Outcome);
    }

    [Fact]
    public void Bytes_that_are_no_question_or_answer_are_passed_over()
    {
        Ask(First);
        long id = Assert.Single(Requests(First)).Id;
        _link.Responded(new PeerMessage.Response(id, new byte[] { 9, 9 }), 1);
        _link.Requested(Replica(First), new PeerMessage.Request(5, new byte[] { 9, 9 }));
        _outbox.Flush();

        Assert.Empty(_answers);
        Assert.Empty(_sent.Take());
    }

    [Fact]
    public void A_node_without_the_controller_says_so()
    {
        _link.Requested(Replica(First), new PeerMessage.Request(5, AdminCodec.Encode(Question)));
        _outbox.Flush();

        (NodeId to, PeerMessage message) = Assert.Single(_sent.Take());
        var response = Assert.IsType<PeerMessage.Response>(message);
        Assert.Equal((First, 5L), (to, response.Id));
        Assert.Equal(AdminOutcome.NotController, AdminCodec.TryDecodeResponse(response.Body.Span)!.Result.Outcome);
    }

    [Fact]
    public void A_question_to_this_nodes_own_controller_that_loses_its_lead_is_answered_by_the_next()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        NodeId leader = cluster[1].Broker.Cluster.ControllerLeader!.Value;
        var answer = new AdminAnswer();
        cluster.IsCut = (from, to, _) => from == leader || to == leader;
        cluster[leader.Value].Broker.Administer(new AdminCommand.AllocateProducerIds(10), cluster.NowMs + 30_000, answer);
        cluster.Pass(8_000);
        Assert.Null(answer.Result);

        cluster.IsCut = static (_, _, _) => false;
        cluster.Until(() => answer.Result is not null, "the next leader answers");

        Assert.Equal(AdminOutcome.Done, answer.Result!.Outcome);
    }

    [Fact]
    public void A_request_whose_answer_was_lost_is_not_carried_out_again_by_the_same_leader()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        int lost = 0;
        cluster.Alter = (_, to, message) => message is PeerMessage.Response && to == asker.Id && lost++ == 0 ? null : message;
        AdminResult first = cluster.Administer(asker, new AdminCommand.AllocateProducerIds(10));
        AdminResult second = cluster.Administer(asker, new AdminCommand.AllocateProducerIds(10));

        Assert.Equal((AdminOutcome.Done, AdminOutcome.Done), (first.Outcome, second.Outcome));
        Assert.Equal((1L, 11L), (first.Number, second.Number));
    }

    [Fact]
    public void A_creation_whose_answer_was_lost_is_told_as_done()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        int lost = 0;
        cluster.Alter = (_, to, message) => message is PeerMessage.Response && to == asker.Id && lost++ == 0 ? null : message;

        AdminResult result = cluster.Administer(asker, Create("t"));

        Assert.Equal(AdminOutcome.Done, result.Outcome);
        Assert.Equal(asker.Broker.Cluster.Topics["t"].Id, result.Topic!.Id);
    }

    [Fact]
    public void A_creation_whose_answer_died_with_the_leader_is_told_as_done_by_the_next()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        NodeId leader = asker.Broker.Cluster.ControllerLeader!.Value;
        cluster.Alter = (from, _, message) => message is PeerMessage.Response && from == leader ? null : message;
        var answer = new AdminAnswer();
        asker.Broker.Administer(Create("t"), cluster.NowMs + 20_000, answer);
        cluster.Until(() => asker.Broker.Cluster.Topics.ContainsKey("t"), "it is made");
        cluster[leader.Value].Kill();

        cluster.Until(() => answer.Result is not null, "it is answered");

        Assert.Equal(AdminOutcome.Done, answer.Result!.Outcome);
    }

    [Fact]
    public void A_creation_that_comes_again_after_somebody_deleted_the_topic_does_not_bring_it_back()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        var late = new List<(NodeId To, PeerMessage.Request Request)>();
        cluster.Alter = (from, to, message) =>
        {
            if (from == asker.Id && message is PeerMessage.Request request)
            {
                late.Add((to, request));
            }

            return message;
        };
        cluster.Administer(asker, Create("t"));
        cluster.Administer(asker, new AdminCommand.DeleteTopic("t", UInt128.Zero));

        cluster[late[0].To.Value].Parts.Received(asker.Parts.Shard.Context.Self, late[0].Request);
        cluster.Pass(2_000);

        Assert.All(cluster.Nodes, node => Assert.False(node.Broker.Cluster.Topics.ContainsKey("t")));
    }

    [Fact]
    public void A_request_that_two_leaders_are_asked_is_carried_out_once()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        NodeId leader = asker.Broker.Cluster.ControllerLeader!.Value;
        cluster.Administer(asker, Create("t"));
        cluster.Alter = (from, _, message) => message is PeerMessage.Response && from == leader ? null : message;
        AdminAnswer[] answers = [.. Enumerable.Range(0, 4).Select(_ => new AdminAnswer())];
        asker.Broker.Administer(new AdminCommand.AllocateProducerIds(10), cluster.NowMs + 20_000, answers[0]);
        asker.Broker.Administer(new AdminCommand.AddPartitions("t", 2, [], ValidateOnly: false), cluster.NowMs + 20_000, answers[1]);
        asker.Broker.Administer(Create("t"), cluster.NowMs + 20_000, answers[2]);
        asker.Broker.Administer(new AdminCommand.DeleteTopic("t", UInt128.Zero), cluster.NowMs + 20_000, answers[3]);
        cluster.Until(() => !asker.Broker.Cluster.Topics.ContainsKey("t"), "all is done");
        cluster[leader.Value].Kill();

        cluster.Until(() => answers.All(a => a.Result is not null), "all is answered by the next leader");

        Assert.Equal(
            [AdminOutcome.Done, AdminOutcome.Done, AdminOutcome.TopicExists, AdminOutcome.Done], answers.Select(a => a.Result!.Outcome));
        Assert.Equal(1, answers[0].Result!.Number);
        Assert.Equal(11, cluster.Administer(asker, new AdminCommand.AllocateProducerIds(1)).Number);
        Assert.False(asker.Broker.Cluster.Topics.ContainsKey("t"));
    }

    [Fact]
    public void A_copy_of_a_refused_request_is_refused_by_the_next_leader_too_whatever_it_finds()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        NodeId leader = asker.Broker.Cluster.ControllerLeader!.Value;
        cluster.Administer(asker, Create("t"));
        cluster.Alter = (from, _, message) => message is PeerMessage.Response && from == leader ? null : message;
        var answer = new AdminAnswer();
        asker.Broker.Administer(Create("t"), cluster.NowMs + 20_000, answer);
        cluster.Pass(500);
        ClusterNode other = cluster.Nodes.First(n => n != asker && n.Id != leader);
        other.Broker.Administer(new AdminCommand.DeleteTopic("t", UInt128.Zero), cluster.NowMs + 20_000, new AdminAnswer());
        cluster.Until(() => !other.Broker.Cluster.Topics.ContainsKey("t"), "it is deleted");
        cluster[leader.Value].Kill();

        cluster.Until(() => answer.Result is not null, "it is answered by the next leader");

        Assert.Equal(AdminOutcome.TopicExists, answer.Result!.Outcome);
        Assert.False(other.Broker.Cluster.Topics.ContainsKey("t"));
    }

    [Fact]
    public void A_copy_of_a_request_that_was_given_up_is_not_carried_out_once_the_node_asked_for_something_else()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        var late = new List<(NodeId To, PeerMessage.Request Request)>();
        cluster.Alter = (from, to, message) =>
        {
            if (from != asker.Id || message is not PeerMessage.Request request)
            {
                return message;
            }

            late.Add((to, request));
            return null;
        };
        var answer = new AdminAnswer();
        asker.Broker.Administer(Create("t"), cluster.NowMs + 500, answer);
        cluster.Until(() => answer.Result is not null, "it is given up");
        cluster.Alter = static (_, _, message) => message;
        cluster.Administer(asker, Create("other"));

        cluster[late[0].To.Value].Parts.Received(asker.Parts.Shard.Context.Self, late[0].Request);
        cluster.Pass(2_000);

        Assert.All(cluster.Nodes, node => Assert.False(node.Broker.Cluster.Topics.ContainsKey("t")));
    }

    [Fact]
    public void A_request_of_a_node_that_is_not_registered_waits_until_it_is()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        var responses = new List<ControllerResponse>();
        NodeId leader = asker.Broker.Cluster.ControllerLeader!.Value;
        cluster.Alter = (from, to, message) =>
        {
            if (from == leader && message is PeerMessage.Response response && AdminCodec.TryDecodeResponse(response.Body.Span) is { } answer)
            {
                responses.Add(answer);
            }

            return message;
        };
        var former = new ControllerRequest.Once(StartId: 1, LowestOpen: 1, Question);

        cluster[leader.Value].Parts.Received(asker.Parts.Shard.Context.Self, new PeerMessage.Request(1, AdminCodec.Encode(former)));
        cluster.Pass(500);

        Assert.Equal(AdminOutcome.NotController, Assert.Single(responses).Result.Outcome);
        Assert.Equal(1, cluster.Administer(asker, new AdminCommand.AllocateProducerIds(1)).Number);
    }

    [Fact]
    public void A_change_by_name_that_comes_late_does_not_meet_the_next_topic_of_that_name()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        cluster.Administer(asker, Create("t"));
        var late = new List<(NodeId To, PeerMessage.Request Request)>();
        cluster.Alter = (from, to, message) =>
        {
            if (from != asker.Id || message is not PeerMessage.Request request)
            {
                return message;
            }

            late.Add((to, request));
            return null;
        };
        var answer = new AdminAnswer();
        asker.Broker.Administer(Set("t", "1000"), cluster.NowMs + 500, answer);
        cluster.Until(() => answer.Result is not null, "it is given up");
        cluster.Alter = static (_, _, message) => message;
        ClusterNode other = cluster.Nodes.First(n => n != asker);
        cluster.Administer(other, new AdminCommand.DeleteTopic("t", UInt128.Zero));
        cluster.Administer(other, Create("t"));

        cluster[late[0].To.Value].Parts.Received(asker.Parts.Shard.Context.Self, late[0].Request);
        cluster.Pass(2_000);

        Assert.All(cluster.Nodes, node => Assert.Empty(node.Broker.Cluster.Topics["t"].Configs));
    }

    [Fact]
    public void A_removal_of_a_node_that_comes_late_does_not_take_back_that_its_number_is_expected_since()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        var late = new List<(NodeId To, PeerMessage.Request Request)>();
        cluster.Alter = (from, to, message) =>
        {
            if (from != asker.Id || message is not PeerMessage.Request request)
            {
                return message;
            }

            late.Add((to, request));
            return null;
        };
        var answer = new AdminAnswer();
        asker.Broker.Administer(new AdminCommand.RemoveNode(new NodeId(9), Lost: false), cluster.NowMs + 500, answer);
        cluster.Until(() => answer.Result is not null, "it is given up");
        cluster.Alter = static (_, _, message) => message;
        Assert.Equal(AdminOutcome.Done, cluster.Administer(cluster.Nodes.First(n => n != asker), new AdminCommand.ExpectNode(new NodeId(9))).Outcome);

        cluster[late[0].To.Value].Parts.Received(asker.Parts.Shard.Context.Self, late[0].Request);
        cluster.Pass(2_000);

        Assert.All(cluster.Nodes, node => Assert.Contains(new NodeId(9), node.Broker.Cluster.Expected.Keys));
    }

    [Fact]
    public void A_node_that_has_not_heard_yet_that_a_name_has_passed_to_another_topic_asks_for_that_one()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        cluster.Administer(asker, Create("t"));
        UInt128 former = asker.Broker.Cluster.Topics["t"].Id;
        cluster.Alter = (_, to, message) => to == asker.Id && message is PeerMessage.ForGroup { Message: AppendEntries } ? null : message;
        ClusterNode leader = cluster[asker.Broker.Cluster.ControllerLeader!.Value.Value];
        cluster.Administer(leader, new AdminCommand.DeleteTopic("t", UInt128.Zero));
        cluster.Administer(leader, Create("t"));
        var answer = new AdminAnswer();
        asker.Broker.Administer(Set("t", "1000"), cluster.NowMs + 20_000, answer);
        cluster.Pass(100);
        Assert.Equal(former, asker.Broker.Cluster.Topics["t"].Id);
        Assert.Null(answer.Result);

        cluster.Alter = static (_, _, message) => message;
        cluster.Until(() => answer.Result is not null, "it is answered");

        Assert.Equal(AdminOutcome.Done, answer.Result!.Outcome);
        Assert.NotEqual(former, asker.Broker.Cluster.Topics["t"].Id);
        Assert.Equal("1000", asker.Broker.Cluster.Topics["t"].Configs["retention.ms"]);
    }

    [Fact]
    public void A_question_to_a_leader_that_dies_is_answered_by_the_next()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        NodeId leader = asker.Broker.Cluster.ControllerLeader!.Value;
        cluster.Alter = (_, to, message) => message is PeerMessage.Request && to == leader ? null : message;
        var answer = new AdminAnswer();
        asker.Broker.Administer(Create("t"), cluster.NowMs + 20_000, answer);
        cluster.Pass(100);
        cluster[leader.Value].Kill();

        cluster.Until(() => answer.Result is not null, "it is answered");

        Assert.Equal(AdminOutcome.Done, answer.Result!.Outcome);
        Assert.NotEqual(leader, asker.Broker.Cluster.ControllerLeader);
    }

    [Fact]
    public void Without_any_answer_the_asker_hears_at_its_deadline_that_time_is_up()
    {
        (WholeCluster cluster, ClusterNode asker) = ClusterAndAsker();
        cluster.Alter = (_, _, message) => message is PeerMessage.Response ? null : message;
        var answer = new AdminAnswer();
        asker.Broker.Administer(Create("t"), cluster.NowMs + 3_000, answer);
        cluster.Pass(2_990);
        Assert.Null(answer.Result);

        cluster.Pass(50);

        Assert.Equal(AdminOutcome.TimedOut, answer.Result?.Outcome);
    }

    private static ReplicaId Replica(NodeId node) => new(node, new StoreId(22));

    private static (WholeCluster Cluster, ClusterNode Asker) ClusterAndAsker()
    {
        WholeCluster cluster = WholeCluster.Started(3);
        return (cluster, cluster.Nodes.First(n => n.Id != n.Broker.Cluster.ControllerLeader));
    }

    private static AdminCommand.CreateTopic Create(string name) => new(
        name, 1, -1, [], ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ValidateOnly: false);

    private static AdminCommand.SetTopicConfigs Set(string name, string retentionMs) => new(
        name, ImmutableSortedDictionary.Create<string, string?>(StringComparer.Ordinal).Add("retention.ms", retentionMs), Replace: false, ValidateOnly: false);

    private void Ask(NodeId? leader, long deadlineMs = 120_000)
    {
        _link.Ask(Question, leader, nowMs: 0, deadlineMs, _answers.Add);
        _outbox.Flush();
    }

    private static long LowestOpen(PeerMessage.Request asked) =>
        Assert.IsType<ControllerRequest.Once>(AdminCodec.TryDecodeRequest(asked.Body.Span)).LowestOpen;

    private void Answer(long id, ControllerResponse response, long nowMs) =>
        _link.Responded(new PeerMessage.Response(id, AdminCodec.Encode(response)), nowMs);

    private PeerMessage.Request[] Requests(NodeId to)
    {
        _outbox.Flush();
        return [.. _sent.Take().Select(s =>
        {
            Assert.Equal(to, s.To);
            return Assert.IsType<PeerMessage.Request>(s.Message);
        })];
    }
}
