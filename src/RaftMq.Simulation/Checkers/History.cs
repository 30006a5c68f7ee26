using RaftMq.Simulation.World;

namespace RaftMq.Simulation.Checkers;

/// <summary>Hands what was observed to every checker and keeps the first objection.</summary>
internal sealed class History(SimulationWorld world)
{
    private readonly OneLeaderPerTermChecker _leaders = new();
    private PromiseChecker[]? _checkers;

    public Violation? Violation { get; private set; }

    public bool IsViolated => Violation is not null;

    public long LeaderChanges => _leaders.LeaderChanges;

    /// <summary>Knows each batch that was ever sent.</summary>
    public MarkBook Marks { get; } = new();

    private PromiseChecker[] Checkers => _checkers ??=
    [
        new DurableChecker(), new OrderedChecker(), new VisibleChecker(), new IdempotentChecker(), new ProgressChecker(),
        _leaders, new LogMatchingChecker(), new CommittedPrefixChecker(), new LivenessChecker(),
    ];

    public void Add(HistoryEvent happened)
    {
        if (IsViolated)
        {
            return;
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
