using RaftMq.Raft;

namespace RaftMq.Simulation.Checkers;

/// <summary>
/// What a message says of its sender is durable on the sender's medium when it leaves (P-01, P-02): the term, the vote, the entries that it
/// acknowledges, with their terms. By the journal's synced bytes alone: nothing that the node believes is asked.
/// </summary>
public sealed class SaidDurableChecker : PromiseChecker
{
    private readonly DurableReplicas _media = new();
    private readonly Dictionary<(ReplicaId By, GroupId Group, Term Term), NodeId> _granted = [];

    /// <summary>Where the entries of a leader's own term begin in its log.</summary>
    private readonly Dictionary<(GroupId Group, Term Term), LogIndex> _termStarts = [];

    /// <summary>Entries of older terms in the log of a leader.</summary>
    private readonly Dictionary<(GroupId Group, Term Leader, LogIndex Index), Term> _older = [];

    public override string Promise => "durable before said";

    public override string? Observe(HistoryEvent happened)
    {
        _media.Observe(happened);
        if (happened is not HistoryEvent.Said said)
        {
            return null;
        }

        if (said.Message is AppendEntries append)
        {
            Learn(said.Group, append);
        }

        return Unfounded(said) is { } what ? $"{said.By} to {said.To}, group {said.Group}: {what} ({said.Message.GetType().Name} of {said.Message.Term})" : null;
    }

    private string? Unfounded(HistoryEvent.Said said)
    {
        // Of a term that nobody entered yet, or that is asked for.
        if (said.Message is PreVoteRequest or PreVoteReply or TermQuery or HealQuery)
        {
            return null;
        }

        DurableReplica? medium = _media.Find(said.By, said.Group);
        Term durable = medium?.Term ?? Term.Zero;
        if (durable < said.Message.Term)
        {
            return $"its medium is in {durable}";
        }

        return said.Message switch
        {
            VoteRequest m => durable == m.Term && medium?.Vote != said.By ? $"its medium has a vote for {medium?.Vote?.ToString() ?? "nobody"}" : null,
            VoteReply { Granted: true } m => BadVote(said, medium, m.Term),
            AppendAccepted m => BadAck(said.Group, m.Term, m.DurableIndex, medium),
            HeartbeatReply m => BadAck(said.Group, m.Term, m.DurableIndex, medium),
            _ => null,
        };
    }

    private string? BadVote(HistoryEvent.Said said, DurableReplica? medium, Term term)
    {
        if (medium!.Term == term && medium.Vote?.Node != said.To)
        {
            return $"its medium has a vote for {medium.Vote?.ToString() ?? "nobody"}";
        }

        return !_granted.TryAdd((said.By, said.Group, term), said.To) && _granted[(said.By, said.Group, term)] is var first && first != said.To
            ? $"it voted for {first} before"
            : null;
    }

    private string? BadAck(GroupId group, Term term, LogIndex index, DurableReplica? medium)
    {
        LogIndex last = medium?.Last ?? LogIndex.Zero;
        if (last < index)
        {
            return $"it acknowledges {index}, and its medium ends at {last}";
        }

        Term? leaders = LeadersTermAt(group, term, index);
        return medium is null || medium.Holds(index, leaders)
            ? null
            : $"it acknowledges {index}, where the leader has an entry of {leaders} and its medium one of {medium.TermAt(index)}";
    }

    /// <summary>Null where that leader's log is not known.</summary>
    private Term? LeadersTermAt(GroupId group, Term leader, LogIndex index)
    {
        if (_termStarts.TryGetValue((group, leader), out LogIndex start) && index >= start)
        {
            return leader;
        }

        return _older.TryGetValue((group, leader, index), out Term older) ? older : null;
    }

    private void Learn(GroupId group, AppendEntries append)
    {
        if (append.PreviousTerm < append.Term && append.PreviousIndex > LogIndex.Zero)
        {
            _older.TryAdd((group, append.Term, append.PreviousIndex), append.PreviousTerm);
        }

        for (int i = 0; i < append.Entries.Count; i++)
        {
            Entry entry = append.Entries[i];
            if (entry.Term < append.Term)
            {
                _older.TryAdd((group, append.Term, entry.Index), entry.Term);
                continue;
            }

            // All behind it are of this term too.
            if (!_termStarts.TryGetValue((group, append.Term), out LogIndex start) || entry.Index < start)
            {
                _termStarts[(group, append.Term)] = entry.Index;
            }

            return;
        }
    }
}
