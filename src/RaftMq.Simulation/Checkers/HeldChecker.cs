using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// What was durable of a replica is there after each start, or the replica knows that it is lost: it says so in its journal, votes by what it held,
/// answers in no term below one that it voted in, follows nobody before it was told a term where it lost its own, and is whole again only when it holds as much (design, "Damage and healing"). By the journals' synced
/// bytes alone; a medium that forgets does not change what a replica once held.
/// </summary>
public sealed class HeldChecker : PromiseChecker
{
    private readonly DurableReplicas _media = new();

    /// <summary>Of damaged replicas: where the log ended before.</summary>
    private readonly Dictionary<(ReplicaId By, GroupId Key), LogPosition> _held = [];
    private readonly Dictionary<(ReplicaId By, GroupId Key), Term> _votedIn = [];

    /// <summary>The term of the last vote before the last start. Within a life an older answer may leave late, as a frame may arrive late.</summary>
    private readonly Dictionary<(ReplicaId By, GroupId Key), Term> _floors = [];

    /// <summary>Of replicas that lost their term: whether somebody told them one since the last start.</summary>
    private readonly Dictionary<(ReplicaId By, GroupId Key), bool> _termless = [];

    /// <summary>Where the logs of candidates end.</summary>
    private readonly Dictionary<(GroupId Group, Term Term, NodeId Candidate), LogPosition> _candidates = [];

    public override string Promise => "held";

    public override string? Observe(HistoryEvent happened)
    {
        string? objection = happened switch
        {
            HistoryEvent.LossDurable loss => Lost(loss),
            HistoryEvent.HealedDurable healed => Healed(healed),
            HistoryEvent.ReplicaStarted started => Started(started),
            HistoryEvent.Said said => Said(said),
            _ => null,
        };
        _media.Observe(happened);
        return objection;
    }

    private string? Lost(HistoryEvent.LossDurable loss)
    {
        if (loss.IsTermLost)
        {
            _termless.TryAdd((loss.By, loss.Key), false);
        }

        if (_media.FindKey(loss.By, loss.Key) is not { } medium || loss.CutFrom is not { } from || from > medium.Last)
        {
            return null;
        }

        if (!loss.IsRecorded)
        {
            return $"{loss.By}, group {loss.Key}: its log, which ended at {medium.Last}, is cut from {from} on, and nothing says that it had been longer";
        }

        if (End(medium) is { } end && !(_held.TryGetValue((loss.By, loss.Key), out LogPosition before) && before.IsAtLeast(end)))
        {
            _held[(loss.By, loss.Key)] = end;
        }

        return null;
    }

    private string? Healed(HistoryEvent.HealedDurable healed)
    {
        _termless.Remove((healed.By, healed.Key));
        if (!_held.Remove((healed.By, healed.Key), out LogPosition held) || _media.FindKey(healed.By, healed.Key) is not { } medium
            || End(medium) is not { } end || end.IsAtLeast(held))
        {
            return null;
        }

        return $"{healed.By}, group {healed.Key}: it says that it is whole again with a log that ends with {end.Index} of {end.Term}, and it had held {held.Index} of {held.Term}";
    }

    private string? Started(HistoryEvent.ReplicaStarted started)
    {
        if (_votedIn.TryGetValue((started.By, started.Key), out Term voted))
        {
            _floors[(started.By, started.Key)] = voted;
        }

        if (_termless.ContainsKey((started.By, started.Key)))
        {
            _termless[(started.By, started.Key)] = false;
        }

        if (_media.FindKey(started.By, started.Key) is not { } medium)
        {
            return null;
        }

        return started.Last < medium.Last ? $"{started.By}, group {started.Key}: its log ends at {started.Last} after a start, and {medium.Last} was durable"
            : started.Term < medium.Term ? $"{started.By}, group {started.Key}: it is in {started.Term} after a start, and {medium.Term} was durable"
            : null;
    }

    private string? Said(HistoryEvent.Said said)
    {
        if (said.Message is VoteRequest request)
        {
            _candidates[(said.Group, request.Term, said.By.Node)] = new LogPosition(request.LastTerm, request.LastIndex);
            return null;
        }

        if (said.Message is TermAnswer)
        {
            foreach ((ReplicaId By, GroupId Key) asked in _termless.Keys.Where(t => t.By.Node == said.To && t.Key.IsLifeOf(said.Group)).ToArray())
            {
                _termless[asked] = true;
            }

            return null;
        }

        if (said.Message is HeartbeatReply or AppendAccepted or AppendRejected && _media.KeyOf(said.By, said.Group) is { } termless
            && _termless.TryGetValue((said.By, termless), out bool isTold) && !isTold)
        {
            return $"{said.By} to {said.To}, group {said.Group}: {said.Message.GetType().Name} of {said.Message.Term}, and it lost its term, and nobody has told it one since it started";
        }

        if (said.Message is not (VoteReply { Granted: true } or AppendAccepted or HeartbeatReply) || _media.KeyOf(said.By, said.Group) is not { } key)
        {
            return null;
        }

        Term term = said.Message.Term;
        if (_floors.TryGetValue((said.By, key), out Term floor) && term < floor)
        {
            return $"{said.By} to {said.To}, group {said.Group}: {said.Message.GetType().Name} of {term}, and it voted in {floor} in an earlier life";
        }

        if (said.Message is not VoteReply)
        {
            return null;
        }

        _votedIn[(said.By, key)] = _votedIn.TryGetValue((said.By, key), out Term last) && last > term ? last : term;
        return _held.TryGetValue((said.By, key), out LogPosition held) && _candidates.TryGetValue((said.Group, term, said.To), out LogPosition log) && !log.IsAtLeast(held)
            ? $"{said.By}, group {said.Group}: it voted in {term} for {said.To}, whose log ends with {log.Index} of {log.Term}, and had held {held.Index} of {held.Term}"
            : null;
    }

    /// <summary>Null where the term of the last entry is not known.</summary>
    private static LogPosition? End(DurableReplica medium) => medium.TermAt(medium.Last) is { } term ? new LogPosition(term, medium.Last) : null;
}
