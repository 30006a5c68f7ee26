using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// What a client asks of the cluster takes effect once, however often the node that it asked asks the controller: two committed entries never answer one
/// request, none carries out what was refused, none changes another topic than the one whose name was meant, and what is told is in an entry. Clients see little of it, as an effect that
/// comes late looks like a slow call.
/// </summary>
public sealed class OnceChecker : PromiseChecker
{
    private readonly Dictionary<(ReplicaId Asker, long Number), UInt128> _meant = [];

    /// <summary>Numbers begin anew with a new folder; null: two folders of one node gave the same one, or it is of no request that is carried out once.</summary>
    private readonly Dictionary<(NodeId Node, long Number), ReplicaId?> _askers = [];
    private readonly HashSet<(ReplicaId Asker, long Number)> _refused = [];

    private readonly HashSet<(ReplicaId Asker, long Number)> _written = [];

    /// <summary>Seen on their way, and not known to be committed.</summary>
    private readonly Dictionary<(GroupId Group, LogIndex Index, Term Term), HistoryEvent.AnswerEntrySeen> _open = [];
    private readonly Dictionary<(ReplicaId Asker, long Number), LogIndex> _answered = [];

    public override string Promise => "once";

    public override string? Observe(HistoryEvent happened)
    {
        switch (happened)
        {
            case HistoryEvent.RequestSaid said:
                Learn(said);
                return null;
            case HistoryEvent.RequestTold told when _askers.GetValueOrDefault((told.Whom, told.Number)) is { } asker:
                return Told(told, asker);
            case HistoryEvent.AnswerEntrySeen seen:
                _written.Add((seen.Asker, seen.Number));
                if (_answered.GetValueOrDefault((seen.Asker, seen.Number)) != seen.Index)
                {
                    _open[(seen.Group, seen.Index, seen.Term)] = seen;
                }

                return null;
            case HistoryEvent.EntryCommitted committed when _open.Remove((committed.Group, committed.Index, committed.Term), out HistoryEvent.AnswerEntrySeen? entry):
                return Judge(entry);
            default:
                return null;
        }
    }

    private void Learn(HistoryEvent.RequestSaid said)
    {
        _meant[(said.By, said.Number)] = said.Topic;
        ReplicaId? asker = said.IsOnce ? said.By : null;
        if (!_askers.TryAdd((said.By.Node, said.Number), asker) && _askers[(said.By.Node, said.Number)] != asker)
        {
            _askers[(said.By.Node, said.Number)] = null;
        }
    }

    /// <summary>What is not written may be forgotten, and the next copy told something else.</summary>
    private string? Told(HistoryEvent.RequestTold told, ReplicaId asker)
    {
        if (told.IsRefused)
        {
            _refused.Add((asker, told.Number));
        }

        return _written.Contains((asker, told.Number))
            ? null
            : $"request {told.Number} of {asker} is told to be {(told.IsRefused ? "refused" : "done")}, and no entry says so";
    }

    private string? Judge(HistoryEvent.AnswerEntrySeen entry)
    {
        (ReplicaId, long) request = (entry.Asker, entry.Number);
        if (!_answered.TryAdd(request, entry.Index) && _answered[request] != entry.Index)
        {
            return $"request {entry.Number} of {entry.Asker} is answered by the entry {_answered[request]}, and again by {entry.Index}";
        }

        if (!entry.Changes)
        {
            return null;
        }

        if (_refused.Contains(request))
        {
            return $"request {entry.Number} of {entry.Asker} was told to be refused, and is carried out by the entry {entry.Index}";
        }

        return entry.Topic != 0 && _meant.GetValueOrDefault(request) is var meant && meant != 0 && meant != entry.Topic
            ? $"request {entry.Number} of {entry.Asker} meant topic {meant:x32}, and the entry {entry.Index} changes {entry.Topic:x32}"
            : null;
    }
}
