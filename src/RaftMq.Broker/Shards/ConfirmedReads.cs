using RaftMq.Raft;

namespace RaftMq.Broker.Shards;

/// <summary>
/// Reads that want to know that this replica still leads (dissertation 6.4): asked, confirmed by a quorum, then answered once
/// everything that was committed when they were asked is applied here.
/// </summary>
internal sealed class ConfirmedReads
{
    private readonly Dictionary<long, IConfirmation> _asked = [];
    private readonly Queue<(LogIndex Index, IConfirmation Confirmation)> _confirmed = new();
    private long _nextId = 1;

    public long Add(IConfirmation confirmation)
    {
        long id = _nextId++;
        _asked.Add(id, confirmation);
        return id;
    }

    public void Take(Ready ready, LogIndex applied)
    {
        foreach (ReadConfirmed read in ready.ReadsConfirmed)
        {
            if (_asked.Remove(read.ReadId, out IConfirmation? confirmation))
            {
                _confirmed.Enqueue((read.Index, confirmation));
            }
        }

        foreach (ReadRefused read in ready.ReadsRefused)
        {
            if (_asked.Remove(read.ReadId, out IConfirmation? confirmation))
            {
                confirmation.Refused();
            }
        }

        Applied(applied);
    }

    public void Applied(LogIndex applied)
    {
        // Confirmations come in the order of their indexes: commit never goes back.
        while (_confirmed.TryPeek(out (LogIndex Index, IConfirmation Confirmation) first) && first.Index <= applied)
        {
            _confirmed.Dequeue().Confirmation.Confirmed();
        }
    }

    public void RefuseAll()
    {
        foreach (long id in _asked.Keys.Order().ToArray())
        {
            _asked.Remove(id, out IConfirmation? confirmation);
            confirmation!.Refused();
        }

        while (_confirmed.TryDequeue(out (LogIndex Index, IConfirmation Confirmation) waiting))
        {
            waiting.Confirmation.Refused();
        }
    }
}
