using RaftMq.Broker.Environment;
using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Broker.Shards;

/// <summary>
/// A shard's way to the node's one journal, which lives in a section of its own: records are collected during a turn and handed over
/// together, and what became durable comes back together. Both ways keep the order, but for hard states and for
/// what a full journal lets overtake.
/// </summary>
/// <param name="queueBytesMax">Entry bytes that may wait for the disk before <see cref="IsFull"/> (BOUNDED).</param>
internal sealed class ShardJournal(ISection journalSection, IClock clock, long queueBytesMax) : IJournal, IJournalWaiter
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
    private List<JournalRecord> _hardStatesWritten = [];
    private JournalFullness _wasTold;
    private int _outstanding;
    private long _lastProgressMs;

    /// <summary>Entries of this turn that <see cref="QueuedBytes"/> does not count yet.</summary>
    private long _announcedBytes;

    /// <summary>What the journal last told of its files.</summary>
    private JournalFullness _files;

    /// <summary>Where completions go; set once, when the shard's own section exists.</summary>
    public ISection Section { get; set; } = null!;

    /// <summary>The journal; set once, when recovery has opened it.</summary>
    public IJournal Journal { get; set; } = null!;

    /// <summary>Called in the shard's section when <see cref="IsFull"/> has ended, or turned out to be for want of room: then nobody need wait.</summary>
    public Action RoomCame { get; set; } = static () => { };

    /// <summary>Hears of the entry bytes of each record.</summary>
    public Action<long> Appended { get; set; } = static _ => { };

    public long QueueBytesMax => queueBytesMax;

    /// <summary>Entry bytes that are collected, handed over or on their way to the disk. They lie in tails that can't give them up.</summary>
    public long QueuedBytes { get; private set; }

    /// <summary>
    /// Either the files are full, as the journal told, or the disk is slower than what comes: then memory must not take what the disk
    /// does not (BOUNDED).
    /// </summary>
    public bool IsFull => _files.IsFull || QueueIsFull;

    /// <summary>As the journal last told: the disk has no room for its next file. What waits then waits for that, not for a slow disk.</summary>
    public bool HasNoRoom => _files.HasNoRoom;

    /// <summary>As the journal last told; see <see cref="IJournal.IsAtHardLimit"/>.</summary>
    public bool IsAtHardLimit => _files.IsAtHardLimit;

    /// <summary>What waits in memory is at its limit.</summary>
    public bool QueueIsFull => QueuedBytes + _announcedBytes >= queueBytesMax;

    /// <summary>
    /// Entries were taken into a log whose record comes at the end of this turn: a turn may take many before its groups act.
    /// </summary>
    public void Announce(long entryBytes) => _announcedBytes += entryBytes;

    /// <summary>The shard's turn ends: what was announced has come.</summary>
    public void TurnEnded()
    {
        _announcedBytes = 0;
        Flush();
    }

    public void Append(JournalRecord record)
    {
        long entryBytes = EntryBytes(record);
        QueuedBytes += entryBytes;
        Appended(entryBytes);
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

    /// <summary>True when something has waited for the disk for longer than that; for a slow one, not for a full one.</summary>
    public bool IsOverdue(long nowMs, int overdueMs) => _outstanding > 0 && !HasNoRoom && nowMs - _lastProgressMs > overdueMs;

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

    /// <summary>Inside the journal's section. Nothing of the order changes: the record itself comes back in its turn.</summary>
    void IJournalWaiter.HardStateWritten(JournalRecord record)
    {
        foreach ((JournalRecord own, JournalRecord reporting) in _handedOver)
        {
            if (ReferenceEquals(reporting, record))
            {
                _hardStatesWritten.Add(own);
                return;
            }
        }

        throw new InvariantViolationException("A hard state was reported of a record that this shard did not hand over.");
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

    /// <summary>
    /// Inside the journal's section, at the end of its turn: what was written goes back to the shard as one piece of work, with the word
    /// whether the files are full when that changed.
    /// </summary>
    public void JournalTurnEnded()
    {
        // The journal may end a turn before it is known here: it prepares its next file while it is opened.
        JournalFullness files = Journal is { } journal ? new JournalFullness(journal.IsFull, journal.HasNoRoom, journal.IsAtHardLimit) : default;
        if (_written.Count == 0 && _hardStatesWritten.Count == 0 && files == _wasTold)
        {
            return;
        }

        _wasTold = files;
        Section.Post(new GiveBack(this, _written, _hardStatesWritten, files));
        _written = [];
        if (_hardStatesWritten.Count > 0)
        {
            _hardStatesWritten = [];
        }
    }

    private static long EntryBytes(JournalRecord record)
    {
        long bytes = 0;
        IReadOnlyList<Entry> entries = record.Entries;
        for (int i = 0; i < entries.Count; i++)
        {
            bytes += entries[i].SizeBytes;
        }

        return bytes;
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

    private readonly record struct JournalFullness(bool IsFull, bool HasNoRoom, bool IsAtHardLimit);

    private sealed class GiveBack(
        ShardJournal shard, List<JournalRecord> records, List<JournalRecord> hardStates, JournalFullness files) : SectionWork
    {
        public override void Run()
        {
            bool wasFull = shard.IsFull;
            bool hadRoom = !shard.HasNoRoom;
            shard._files = files;
            if (!files.HasNoRoom && !hadRoom)
            {
                // What waited for room has not waited for the disk.
                shard._lastProgressMs = shard._clock.MonotonicMs;
            }

            if (records.Count > 0)
            {
                shard._outstanding -= records.Count;
                shard._lastProgressMs = shard._clock.MonotonicMs;
            }

            foreach (JournalRecord record in records)
            {
                shard.QueuedBytes -= EntryBytes(record);
                record.Waiter?.Written(record);
            }

            foreach (JournalRecord record in hardStates)
            {
                record.Waiter?.HardStateWritten(record);
            }

            Invariant.Holds(shard.QueuedBytes >= 0);
            if ((wasFull && !shard.IsFull) || (hadRoom && files.HasNoRoom))
            {
                shard.RoomCame();
            }
        }
    }
}
