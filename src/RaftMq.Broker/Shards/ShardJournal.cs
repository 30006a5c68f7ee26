using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Broker.Shards;

/// <summary>
/// A shard's way to the node's one journal, which lives in a section of its own: records are collected during a turn and handed over
/// together, and what became durable comes back together. Both ways keep the order, but for
/// what a full journal lets overtake.
/// </summary>
internal sealed class ShardJournal(ISection journalSection, IClock clock) : IJournal, IJournalWaiter
{
    private readonly IClock _clock = clock;

    /// <summary>
    /// In the journal's hands, in its order, each with the copy that reports here. Belongs to the journal's section.
    /// </summary>
    private readonly Queue<(JournalRecord Own, JournalRecord Reporting)> _handedOver = new();

    /// <summary>Copies in <see cref="_handedOver"/> that reported before their turn came.</summary>
    private readonly HashSet<JournalRecord> _overtook = new(ReferenceEqualityComparer.Instance);

    private List<JournalRecord> _collected = [];
    private List<JournalRecord> _written = [];
    private int _outstanding;
    private long _lastProgressMs;

    /// <summary>Where completions go; set once, when the shard's own section exists.</summary>
    public ISection Section { get; set; } = null!;

    /// <summary>The journal; set once, when recovery has opened it.</summary>
    public IJournal Journal { get; set; } = null!;

    public void Append(JournalRecord record)
    {
        if (_outstanding++ == 0)
        {
            _lastProgressMs = _clock.MonotonicMs;
        }

        _collected.Add(record);
    }

    public void Flush()
    {
        if (_collected.Count == 0)
        {
            return;
        }

        journalSection.Post(new HandOver(this, _collected));
        _collected = [];
    }

    /// <summary>True when something has waited for the disk for longer than that.</summary>
    public bool IsOverdue(long nowMs, int overdueMs) => _outstanding > 0 && nowMs - _lastProgressMs > overdueMs;

    /// <summary>Inside the journal's section.</summary>
    void IJournalWaiter.Written(JournalRecord record)
    {
        if (!ReferenceEquals(_handedOver.Peek().Reporting, record))
        {
            Overtaken(record);
            return;
        }

        _written.Add(_handedOver.Dequeue().Own);
        while (_handedOver.TryPeek(out (JournalRecord Own, JournalRecord Reporting) next) && _overtook.Remove(next.Reporting))
        {
            _handedOver.Dequeue();
        }
    }

    /// <summary>In a full journal, records that only release files overtake the others.</summary>
    private void Overtaken(JournalRecord record)
    {
        bool isOurs = false;
        foreach ((JournalRecord own, JournalRecord reporting) in _handedOver)
        {
            if (ReferenceEquals(reporting, record))
            {
                isOurs = _overtook.Add(record);
                _written.Add(own);
                break;
            }
        }

        Invariant.Holds(isOurs);
    }

    /// <summary>Inside the journal's section, after a batch: what was written goes back to the shard as one piece of work.</summary>
    public void BatchWritten()
    {
        if (_written.Count == 0)
        {
            return;
        }

        Section.Post(new GiveBack(this, _written));
        _written = [];
    }

    private sealed class HandOver(ShardJournal shard, List<JournalRecord> records) : SectionWork
    {
        public override void Run()
        {
            foreach (JournalRecord record in records)
            {
                JournalRecord reporting = record.ReportedTo(shard);
                shard._handedOver.Enqueue((record, reporting));
                shard.Journal.Append(reporting);
            }

            shard.Journal.Flush();
        }
    }

    private sealed class GiveBack(ShardJournal shard, List<JournalRecord> records) : SectionWork
    {
        public override void Run()
        {
            shard._outstanding -= records.Count;
            shard._lastProgressMs = shard._clock.MonotonicMs;
            foreach (JournalRecord record in records)
            {
                record.Waiter?.Written(record);
            }
        }
    }
}
