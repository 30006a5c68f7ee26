using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>
/// One random life of a node's journal: groups that append, truncate, release, reset, end and begin; a disk whose lanes run in any order;
/// deaths of every kind at any operation, recovery included. After each death the rig compares with the naive oracle.
/// </summary>
internal sealed class JournalLife
{
    private readonly RandomSource _random;
    private readonly JournalRig _rig;
    private readonly JournalOptions _options;
    private readonly Queue<(GroupId Group, LogIndex UpTo)> _wishes = new();

    /// <summary>What groups have in memory, from everything appended.</summary>
    private SortedDictionary<GroupId, LiveGroup> _live = [];
    private int _groupsMade;
    private long _nowMs;

    public JournalLife(ulong seed, JournalOptions options)
    {
        _random = new RandomSource(seed);
        _options = options;
        _rig = new JournalRig(new SimulatedDisk(_random.Split()), options)
        {
            OnReleaseWanted = (group, upTo) => _wishes.Enqueue((group, upTo)),
        };
        _rig.Start();
    }

    public int Deaths { get; private set; }

    public long Recycled { get; private set; }

    public long Acknowledged { get; private set; }

    public int HardStatesOvertook => _rig.HardStatesOvertook;

    public void Run(int steps)
    {
        int deathsBelow = 0;
        for (int step = 0; step < steps; step++)
        {
            try
            {
                Step();
            }
            catch (SimulatedCrashException)
            {
                Die();
            }
            catch (DiskFaultException fault) when (fault is not DiskFullException)
            {
                Die();
            }

            // Promise BOUNDED. A start may take one file over the limit, which shows when deaths come faster than groups release.
            deathsBelow = _rig.Journal.UsedBytes <= _options.TotalBytesMax ? Deaths : deathsBelow;
            long allowed = _options.HardBytesMax + ((2 + Deaths - deathsBelow) * 2 * _options.FileBytes);
            Assert.True(_rig.Journal.UsedBytes <= allowed, $"{_rig.Journal.UsedBytes} bytes used of {_options.TotalBytesMax}");
        }

        // Everything settles: room comes back, nothing waits for ever (L-06).
        _rig.Disk.CapacityBytesMax = long.MaxValue;
        while (_rig.Disk.ArmedFaults.Count > 0)
        {
            // They strike in a recovery, which writes and syncs.
            Die();
        }

        _rig.Disk.CancelCrash();
        for (int round = 0; round < 1000 && (_rig.Journal.QueuedRecords > 0 || !_rig.Queue.IsIdle || _wishes.Count > 0); round++)
        {
            Answer(_wishes.Count);
            _rig.Journal.Tick(_nowMs += 10);
            _rig.Journal.Flush();
            _rig.Queue.RunAll();
        }

        Assert.Equal(_rig.Appended.Count, _rig.Acknowledged);
        _rig.Disk.PowerCut(_ => false);
        Restart();
    }

    private void Step()
    {
        switch (_random.Next(30))
        {
            case 0 when _random.OneIn(4):
                Die();
                break;
            case 1 when _random.OneIn(4):
                _rig.Disk.CrashAfter(_random.Next(1, 12));
                break;
            case 2 when _random.OneIn(8):
                _rig.Disk.Arm(_random.OneIn(2) ? SimulatedDiskFault.SyncFails : SimulatedDiskFault.WriteFails);
                break;
            case 2 when _random.OneIn(2):
                // D-14: no room for another file, for a while.
                _rig.Disk.CapacityBytesMax =
                    _rig.Disk.CapacityBytesMax == long.MaxValue ? _random.NextInt64(_options.TotalBytesMax) : long.MaxValue;
                break;
            case 3 or 4:
                Answer(_random.Next(12));
                break;
            case 5:
                _nowMs += _random.Next(4);
                _rig.Journal.Tick(_nowMs);
                break;
            case 6 when _random.OneIn(6):
                Reset();
                break;
            case 7 when _random.OneIn(6):
                Delete();
                break;
            case 8 when _random.OneIn(3):
                HardState();
                break;
            case 9:
                Commit();
                break;
            case < 18:
                if (!_rig.Journal.IsFull)
                {
                    AppendEntries();
                }

                break;
            case < 22:
                _rig.Journal.Flush();
                break;
            case < 26:
                _rig.Queue.Step(DiskLane.Journal);
                break;
            case 26:
                _rig.Queue.Execute(DiskLane.Journal);
                break;
            default:
                _rig.Queue.Step(DiskLane.Background);
                break;
        }
    }

    private void Die()
    {
        Deaths++;
        Recycled += _rig.Journal.Statistics.FilesRecycled;
        for (int tries = 0; ; tries++)
        {
            if (_random.OneIn(3))
            {
                _rig.Disk.ProcessCrash();
            }
            else
            {
                _rig.Disk.PowerCut(_random);
            }

            if (tries < 4 && _random.OneIn(2))
            {
                _rig.Disk.CrashAfter(_random.Next(1, 10));
            }

            try
            {
                Restart();
                return;
            }
            catch (SimulatedCrashException)
            {
            }
            catch (DiskFaultException)
            {
                _rig.Disk.CapacityBytesMax = long.MaxValue;
            }
        }
    }

    private void Restart()
    {
        _rig.RestartAndCheck();
        Acknowledged += _rig.Acknowledged;
        _wishes.Clear();
        _live = [];
        foreach (JournalRecord record in _rig.Appended)
        {
            Live(record.Group).Apply(record);
        }
    }

    private void Append(JournalRecord record)
    {
        Live(record.Group).Apply(record);
        _rig.Append(record);
    }

    private LiveGroup Live(GroupId group)
    {
        if (!_live.TryGetValue(group, out LiveGroup? live))
        {
            _live.Add(group, live = new LiveGroup());
        }

        return live;
    }

    private GroupId? AnyGroup()
    {
        GroupId[] groups = [.. _live.Where(group => !group.Value.Deleted).Select(group => group.Key)];
        if (groups.Length < 3 || (groups.Length < 9 && _random.OneIn(40)))
        {
            return Records.Group(++_groupsMade);
        }

        // The first ones are busy, the last ones hardly move: these hold old files.
        return groups[Math.Min(_random.Next(groups.Length), _random.Next(groups.Length))];
    }

    private void AppendEntries()
    {
        GroupId group = AnyGroup()!.Value;
        LiveGroup live = Live(group);
        if (live.Entries.Where(entry => entry.Key > live.Commit).Sum(entry => entry.Value.SizeBytes) > 30_000)
        {
            return; // As a group's limit on uncommitted bytes would have it.
        }

        long first = live.Last + 1;
        if (live.Last > live.Commit && _random.OneIn(6))
        {
            first = live.Commit + 1 + _random.NextInt64(live.Last - live.Commit);
            live.Term++;
        }

        int payload = _random.Next(8) switch { 0 => 0, < 6 => _random.Next(200), 6 => _random.Next(6000), _ => _random.Next(20_000) };
        int count = payload < 1000 ? _random.Next(1, 6) : 1;
        Append(new JournalRecord
        {
            Group = group,
            Entries = Records.Entries(group, first, first + count - 1, live.Term, payload),
            HardState = _random.OneIn(10) ? Records.Hard(live.Term, _random.Next(3)) : null,
            Commit = new LogIndex(live.Commit),
        });
    }

    private void HardState()
    {
        GroupId group = AnyGroup()!.Value;
        LiveGroup live = Live(group);
        live.Term += _random.Next(3);
        Append(new JournalRecord { Group = group, HardState = Records.Hard(live.Term, _random.Next(4)) });
    }

    private void Commit()
    {
        foreach (LiveGroup live in _live.Values)
        {
            if (!_random.OneIn(3))
            {
                live.Commit += _random.NextInt64(live.Last - live.Commit + 1);
            }
        }
    }

    private void Reset()
    {
        GroupId group = AnyGroup()!.Value;
        LiveGroup live = Live(group);
        long index = live.Commit + 1 + _random.Next(20);
        bool keeps = _random.OneIn(2);
        Append(new JournalRecord
        {
            Group = group,
            Reset = (new LogIndex(index), new Term(live.Term)),
            Entries = keeps ? Records.Entries(group, index + 1, index + 2, live.Term, 30) : [],
        });
    }

    private void Delete()
    {
        GroupId group = AnyGroup()!.Value;
        Append(new JournalRecord { Group = group, Deleted = true });
    }

    /// <summary>As a group answers: what is committed goes to segments, the rest is carried again, all of it in one record.</summary>
    private void Answer(int count)
    {
        for (; count > 0 && _wishes.TryDequeue(out (GroupId Group, LogIndex UpTo) wish); count--)
        {
            LiveGroup live = Live(wish.Group);
            if (live.Deleted)
            {
                continue;
            }

            if (wish.UpTo.Value > live.Commit && live.Last > live.Commit)
            {
                Append(Records.Of(wish.Group, [.. live.Entries.Where(entry => entry.Key > live.Commit).Select(entry => entry.Value)]));
            }

            // What others committed may not be durable here yet; it goes to segments after that.
            long released = Math.Min(Math.Min(wish.UpTo.Value, live.Commit), DurableEnd(wish.Group));
            if (_random.OneIn(3))
            {
                Append(new JournalRecord { Group = wish.Group, LogBase = new LogIndex(released) });
            }

            Append(new JournalRecord { Group = wish.Group, SegmentsDurable = new LogIndex(released) });
        }
    }

    /// <summary>The last entry that the disk is known to hold; not one that a record on its way replaces.</summary>
    private long DurableEnd(GroupId group)
    {
        JournalRecord[] written = [.. _rig.Appended.Take(_rig.Acknowledged).Where(record => record.Group == group)];
        IEnumerable<JournalRecord> onTheirWay = _rig.Appended.Skip(_rig.Acknowledged).Where(record => record.Group == group);
        return onTheirWay.Where(record => record.Entries.Count > 0).Select(record => record.Entries[0].Index.Value - 1)
            .Append(JournalModel.Of(written).At(group).LastIndex).Min();
    }

    private sealed class LiveGroup
    {
        public SortedDictionary<long, Entry> Entries { get; } = [];

        public int Term { get; set; } = 1;

        public long Commit { get; set; }

        public long Last { get; private set; }

        public bool Deleted { get; private set; }

        public void Apply(JournalRecord record)
        {
            Deleted |= record.Deleted;
            Term = Math.Max(Term, record.HardState?.Term.Value ?? 0);
            if (record.Reset is { } reset)
            {
                Entries.Clear();
                Last = reset.Index.Value;
                Commit = reset.Index.Value;
            }

            if (record.Entries.Count > 0)
            {
                foreach (long index in Entries.Keys.Where(index => index >= record.Entries[0].Index.Value).ToArray())
                {
                    Entries.Remove(index);
                }

                foreach (Entry entry in record.Entries)
                {
                    Entries.Add(entry.Index.Value, entry);
                    Last = entry.Index.Value;
                    Term = Math.Max(Term, entry.Term.Value);
                }
            }

            Commit = Math.Max(Commit, Math.Max(record.Commit.Value, record.SegmentsDurable?.Value ?? 0));
        }
    }
}
