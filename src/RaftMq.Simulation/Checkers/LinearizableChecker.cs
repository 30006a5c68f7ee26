namespace RaftMq.Simulation.Checkers;

/// <summary>
/// Topics and committed offsets behave as if each call on them took effect at one instant between its beginning and its end: a read is never
/// older than what was acknowledged before it, nothing that was acknowledged is lost, nothing comes back that was deleted, and no call of which nobody
/// heard an end meets a topic that took the name of the one it was for long afterwards.
/// </summary>
public sealed class LinearizableChecker : PromiseChecker
{
    private readonly Dictionary<string, Linearization> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<long, (string Object, ObjectCall What)> _calls = [];

    public override string Promise => "linearizability";

    /// <summary>Objects with too many calls that never ended to say anything of them.</summary>
    public int Undecided => _objects.Values.Count(static o => o.IsUndecided);

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.CallStarted started:
                _calls.Add(started.Call, (started.Object, started.What));
                Of(started.Object).Started(started.Call, started.What);
                return null;
            case HistoryEvent.CallLost lost:
                Of(_calls[lost.Call].Object).Lost(lost.Call);
                return null;
            case HistoryEvent.CallOver over:
                Of(_calls[over.Call].Object).Over(over.Call);
                return null;
            case HistoryEvent.CallEnded ended:
                (string name, ObjectCall what) = _calls[ended.Call];
                Linearization its = Of(name);
                string before = its.Describe();
                return its.Ended(ended.Call, ended.Outcome, ended.Found)
                    ? null
                    : $"{name}: {what} ended with {ended.Outcome}{(what is ObjectCall.Read ? $", {ended.Found}" : "")}; no order of the calls before explains that "
                        + $"(it could be: {before})";
            default:
                return null;
        }
    }

    private Linearization Of(string name)
    {
        if (!_objects.TryGetValue(name, out Linearization? its))
        {
            _objects.Add(name, its = new Linearization());
        }

        return its;
    }
}
