using RaftMq.Raft;
using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Checkers;

/// <summary>Hands what was observed to every checker and keeps the first objection.</summary>
internal sealed class History(SimulationWorld world)
{
    private readonly OneLeaderPerTermChecker _leaders = new();
    private readonly BoundedChecker _limits = new();
    private readonly Dictionary<GroupId, long> _logStarts = [];
    private PromiseChecker[]? _checkers;

    public Violation? Violation { get; private set; }

    public bool IsViolated => Violation is not null;

    public long LeaderChanges => _leaders.LeaderChanges;

    /// <inheritdoc cref="BoundedChecker.Largest"/>
    public IReadOnlyDictionary<string, (long Used, long Max)> LargestUses => _limits.Largest;

    /// <inheritdoc cref="SimulationWorld.LatestUnixMs"/>
    public long LatestUnixMs => world.LatestUnixMs;

    /// <summary>Looks into all replicas at once, for what only some of them know.</summary>
    public void LookNow() => world.LookNow?.Invoke();

    /// <summary>Knows each batch that was ever sent.</summary>
    public MarkBook Marks { get; } = new();

    private PromiseChecker[] Checkers => _checkers ??=
    [
        new DetectedChecker(), new DurableChecker(), new OrderedChecker(), new VisibleChecker(), new IdempotentChecker(), new ProgressChecker(),
        _leaders, new LogMatchingChecker(), new CommittedPrefixChecker(), new LivenessChecker(),
        new RoomChecker(), _limits,
        new SaidDurableChecker(), new HeldChecker(), new CommitRuleChecker(), new DiskOrderChecker(), new MembershipChecker(),
        new LeaderAnswersChecker(), new LinearizableChecker(), new TimeChecker(), new GroupChecker(), new CountedChecker(),
        new SameStateChecker(ProductNode.DigestEntries), new FeatureLevelChecker(), new OnceChecker(),
    ];

    /// <summary>A log begins there, or is to. Only the first word on it counts: whoever decided it says it before anybody can see it.</summary>
    /// <param name="unixMs">The latest time that the clock of whoever decided it has shown until now.</param>
    public void SeeLogStart(GroupId group, NodeId by, long offset, long unixMs)
    {
        if (offset > _logStarts.GetValueOrDefault(group))
        {
            _logStarts[group] = offset;
            Add(new HistoryEvent.LogStartSeen(group, by, offset, unixMs));
        }
    }

    public void Add(HistoryEvent happened)
    {
        if (IsViolated)
        {
            return;
        }

        if (happened is HistoryEvent.LossDurable or HistoryEvent.HealedDurable)
        {
            world.Trace.Add(world.NowUs, TraceKind.Observed, happened.ToString());
        }

        foreach (PromiseChecker checker in Checkers)
        {
            if (checker.Observe(happened) is { } objection)
            {
                Violated(checker.Promise, objection);
                return;
            }
        }
    }

    /// <summary>What the checkers say, without its consequence; for tests.</summary>
    public string? WouldObject(HistoryEvent happened) =>
        Checkers.Select(checker => checker.Observe(happened)).FirstOrDefault(objection => objection is not null);

    public void Violated(string promise, string text)
    {
        world.Trace.Add(world.NowUs, TraceKind.Observed, $"{promise} violated: {text}");
        Violation ??= new Violation(promise, text, world.NowUs);
    }
}
