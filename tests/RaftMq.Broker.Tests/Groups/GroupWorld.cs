using RaftMq.Broker.Groups;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Groups;

/// <summary>Keeps the one answer to a request, and fails on a second.</summary>
internal sealed class Answer<T> : IReply<T>
    where T : class
{
    public T? Result { get; private set; }

    public bool IsWaiting => Result is null;

    public void Complete(T result)
    {
        Assert.True(Result is null, $"answered twice: {Result}, then {result}");
        Result = result;
    }
}

/// <summary>A Raft group of one mind: what is proposed waits in order until the test commits or loses it.</summary>
internal sealed class FakeProposer(GroupStateMachine machine, List<GroupEntry> committed) : IGroupProposer
{
    private readonly Queue<(byte[]? Entry, IProposalCallback Callback)> _waiting = new();

    public bool IsBusy { get; set; }

    public int Waiting => _waiting.Count;

    public bool Propose(byte[] entry, IProposalCallback callback) => Enqueue(entry, callback);

    public bool ConfirmLeader(IProposalCallback callback) => Enqueue(null, callback);

    public void CommitOne()
    {
        (byte[]? entry, IProposalCallback callback) = _waiting.Dequeue();
        if (entry is not null)
        {
            Apply(entry);
        }

        callback.Committed();
    }

    public void CommitAll()
    {
        while (_waiting.Count > 0)
        {
            CommitOne();
        }
    }

    /// <summary>Leadership ends. The first entries may be committed by the next leader all the same, in order, unseen by this one.</summary>
    public void Lose(int survivors)
    {
        foreach ((byte[]? entry, _) in _waiting)
        {
            if (entry is not null && survivors-- > 0)
            {
                Apply(entry);
            }
        }

        while (_waiting.TryDequeue(out (byte[]? Entry, IProposalCallback Callback) lost))
        {
            lost.Callback.Lost();
        }
    }

    private bool Enqueue(byte[]? entry, IProposalCallback callback)
    {
        if (IsBusy)
        {
            return false;
        }

        _waiting.Enqueue((entry, callback));
        return true;
    }

    private void Apply(byte[] entry)
    {
        Assert.True(GroupEntryCodec.TryDecode(entry, out GroupEntry? decoded, out GroupDecodeFault fault), fault.ToString());
        committed.Add(decoded!);
        machine.Apply(entry);
    }
}

/// <summary>Metadata are topics with commas between; "?" is no subscription.</summary>
internal sealed class CommaSubscriptions : ISubscriptionReader
{
    public bool TryReadTopics(string protocolType, ReadOnlySpan<byte> metadata, ISet<string> topics)
    {
        string text = System.Text.Encoding.UTF8.GetString(metadata);
        if (protocolType != "consumer" || text == "?")
        {
            return false;
        }

        topics.UnionWith(text.Split(',', '|').Where(topic => topic.Length > 0 && topic[0] != '#'));
        return true;
    }
}

/// <summary>One coordinator over one state, with short words for what members do.</summary>
internal sealed class GroupWorld
{
    public const int SessionMs = 10_000;
    public const int RebalanceMs = 60_000;

    public static readonly ConsumerGroupId G = new("g");

    private readonly RandomSource _random = new(7);

    public GroupWorld(GroupsConfig? config = null, GroupStateMachine? machine = null)
    {
        Config = config ?? new GroupsConfig { InitialRebalanceDelayMs = 0 };
        Machine = machine ?? new GroupStateMachine();
        Proposer = new FakeProposer(Machine, Committed);
        Coordinator = NewCoordinator();
    }

    public GroupsConfig Config { get; }

    public GroupStateMachine Machine { get; }

    /// <summary>What was committed, over all leaders, in order; a test may empty it.</summary>
    public List<GroupEntry> Committed { get; } = [];

    public FakeProposer Proposer { get; private set; }

    public GroupCoordinator Coordinator { get; private set; }

    public long NowMs { get; set; } = 1_000_003;

    /// <summary>The leader falls with this many of its proposals surviving; a new one takes over.</summary>
    public void Failover(int survivors = 0)
    {
        Proposer.Lose(survivors);
        Coordinator.LeadershipLost();
        Proposer = new FakeProposer(Machine, Committed);
        Coordinator = NewCoordinator();
    }

    public void Commit() => Proposer.CommitAll();

    public void Pass(long ms)
    {
        NowMs += ms;
        Coordinator.Tick(NowMs);
    }

    public Answer<JoinResult> Join(
        string? member = null,
        string? instance = null,
        string metadata = "t",
        string[]? protocols = null,
        bool requireKnown = false,
        bool canSkip = false,
        string protocolType = "consumer",
        int rebalanceMs = RebalanceMs,
        int sessionMs = SessionMs,
        string group = "g",
        string clientId = "client")
    {
        Answer<JoinResult> answer = new();
        Coordinator.Join(
            new JoinRequest
            {
                Group = new(group),
                Member = member is null ? MemberId.None : new(member),
                Instance = instance is null ? null : new InstanceId(instance),
                ClientId = clientId,
                ClientHost = "/127.0.0.1",
                SessionTimeoutMs = sessionMs,
                RebalanceTimeoutMs = rebalanceMs,
                ProtocolType = protocolType,
                Protocols = [.. (protocols ?? ["range"]).Select(name => new MemberProtocol(name, Bytes(metadata)))],
                RequireKnownMember = requireKnown,
                CanSkipAssignment = canSkip,
            },
            NowMs,
            answer);
        return answer;
    }

    public Answer<SyncResult> Sync(
        JoinResult.Joined joined,
        string? instance = null,
        string? protocolType = null,
        string? protocolName = null,
        bool assign = true,
        MemberAssignment[]? assignments = null)
    {
        Answer<SyncResult> answer = new();
        Coordinator.Sync(
            new SyncRequest
            {
                Group = G,
                Generation = joined.Generation,
                Member = joined.Member,
                Instance = instance is null ? null : new InstanceId(instance),
                ProtocolType = protocolType,
                ProtocolName = protocolName,
                Assignments = assignments ?? (assign
                    ? [.. joined.Members.Select(m => new MemberAssignment(m.Member, Bytes($"{joined.Generation}:{m.Member}")))]
                    : []),
            },
            NowMs,
            answer);
        return answer;
    }

    public HeartbeatResult Heartbeat(JoinResult.Joined joined, string? instance = null) => Coordinator.Heartbeat(
        G, joined.Generation, joined.Member, instance is null ? null : new InstanceId(instance), NowMs);

    public Answer<LeaveResult> Leave(string member, string? instance = null)
    {
        Answer<LeaveResult> answer = new();
        LeavingMember leaving = new(new(member), instance is null ? null : new InstanceId(instance));
        Coordinator.Leave(new LeaveRequest { Group = G, Members = [leaving] }, NowMs, answer);
        return answer;
    }

    public Answer<OffsetCommitResult> CommitOffset(
        long offset,
        JoinResult.Joined? joined = null,
        string topic = "t",
        int partition = 0,
        string? instance = null,
        string metadata = "",
        ulong topicId = 0,
        string group = "g",
        int? generation = null)
    {
        Answer<OffsetCommitResult> answer = new();
        Coordinator.CommitOffsets(
            new OffsetCommitRequest
            {
                Group = new(group),
                Generation = generation is { } number ? new Generation(number) : joined?.Generation ?? Generation.None,
                Member = joined?.Member ?? MemberId.None,
                Instance = instance is null ? null : new InstanceId(instance),
                Offsets = [new(topic, topicId, partition, offset, 3, metadata)],
            },
            NowMs,
            answer);
        return answer;
    }

    public Answer<OffsetFetchResult> Fetch(string topic = "t", int partition = 0, ulong topicId = 0, string group = "g")
    {
        Answer<OffsetFetchResult> answer = new();
        Coordinator.FetchOffsets(
            new OffsetFetchRequest { Group = new(group), Offsets = [new(topic, topicId, partition)] }, NowMs, answer);
        return answer;
    }

    /// <summary>The committed offset, or -1.</summary>
    public long FetchNow(string topic = "t", int partition = 0, ulong topicId = 0, string group = "g")
    {
        Answer<OffsetFetchResult> answer = Fetch(topic, partition, topicId, group);
        Commit();
        OffsetFetchResult.Fetched fetched = Assert.IsType<OffsetFetchResult.Fetched>(answer.Result);
        return Assert.Single(fetched.Offsets).Committed?.Offset ?? -1;
    }

    public Answer<OffsetDeleteResult> DeleteOffset(string topic = "t", int partition = 0)
    {
        Answer<OffsetDeleteResult> answer = new();
        Coordinator.DeleteOffsets(new OffsetDeleteRequest { Group = G, Offsets = [new(topic, partition)] }, NowMs, answer);
        return answer;
    }

    public Answer<GroupDeleteResult> DeleteGroup()
    {
        Answer<GroupDeleteResult> answer = new();
        Coordinator.DeleteGroup(G, NowMs, answer);
        return answer;
    }

    public GroupDescribeResult.Described Describe() =>
        Assert.IsType<GroupDescribeResult.Described>(Coordinator.Describe(G));

    /// <summary>A stable group of so many new members, leader first.</summary>
    public JoinResult.Joined[] Stable(int members, string? instancePrefix = null, string metadata = "t")
    {
        List<string> ids = [];
        JoinResult.Joined[] joined = [];
        for (int i = 0; i < members; i++)
        {
            string? instance = instancePrefix is null ? null : $"{instancePrefix}{i}";
            List<Answer<JoinResult>> answers = [Join(instance: instance, metadata: metadata)];
            for (int k = 0; k < ids.Count; k++)
            {
                answers.Add(Join(ids[k], instancePrefix is null ? null : $"{instancePrefix}{k}", metadata));
            }

            Commit();
            JoinResult.Joined newcomer = answers[0].Joined();
            ids.Add(newcomer.Member.Value);
            joined = [.. answers.Skip(1).Select(a => a.Joined()), newcomer];
        }

        SyncAll(joined, instancePrefix);
        return joined;
    }

    public void SyncAll(JoinResult.Joined[] joined, string? instancePrefix = null)
    {
        List<Answer<SyncResult>> answers =
            [.. joined.Select((j, i) => Sync(j, instancePrefix is null ? null : $"{instancePrefix}{i}"))];
        Commit();
        Assert.All(answers, answer => Assert.IsType<SyncResult.Synced>(answer.Result));
    }

    public static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private GroupCoordinator NewCoordinator() =>
        new(Machine, Config, Proposer, new CommaSubscriptions(), _random.Split(), NowMs);
}

internal static class AnswerExtensions
{
    public static JoinResult.Joined Joined(this Answer<JoinResult> answer) => Assert.IsType<JoinResult.Joined>(answer.Result);

    public static byte[] Assignment(this Answer<SyncResult> answer) =>
        Assert.IsType<SyncResult.Synced>(answer.Result).Assignment;

    public static void IsRefused(this Answer<JoinResult> answer, GroupRefusal reason) =>
        Assert.Equal(new JoinResult.Refused(reason), answer.Result);

    public static void IsRefused(this Answer<SyncResult> answer, GroupRefusal reason) =>
        Assert.Equal(new SyncResult.Refused(reason), answer.Result);

    public static void IsRefused(this Answer<OffsetCommitResult> answer, GroupRefusal reason) =>
        Assert.Equal(new OffsetCommitResult.Refused(reason), answer.Result);

    public static void IsStored(this Answer<OffsetCommitResult> answer) =>
        Assert.Equal([OffsetCommitOutcome.Stored], Assert.IsType<OffsetCommitResult.Committed>(answer.Result).Offsets);

    public static void Left(this Answer<LeaveResult> answer, GroupRefusal? reason = null) =>
        Assert.Equal([reason], Assert.IsType<LeaveResult.Left>(answer.Result).Members);
}
