namespace RaftMq.Testing;

/// <summary>How much a test does: the short form with every change, the long form with RAFTMQ_FULL=1, which <c>tests/run.sh --full</c> sets.</summary>
public static class LongForm
{
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("RAFTMQ_FULL") == "1";

    public static int Rounds(int shortForm, int longForm) => IsOn ? longForm : shortForm;
}
