using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>
/// A random life of a journal whose durable bytes rot between its starts: blocks go bad, files get lost. After each start every group is
/// compared with what it was: a beginning of its log is back, and whatever is missing is told, now and at each start until it is healed.
/// </summary>
internal sealed class RottingLife
{
    private const int Block = 4096;

    private readonly RandomSource _random;
    private readonly JournalRig _rig;
    private readonly SortedDictionary<GroupId, RottingGroup> _groups = [];
    private readonly SortedSet<GroupId> _strangers = [];
    private int _made;

    public RottingLife(ulong seed)
    {
        _random = new RandomSource(seed);
        _rig = new JournalRig(seed, JournalRig.Small with { FileBytes = (_random.OneIn(2) ? 16 : 32) * Block, TotalBytesMax = 8 * 32 * Block })
        {
            OnReleaseWanted = ReleaseWanted,
        };
        _rig.Start();
        while (_groups.Count < 4)
        {
            Make();
        }
    }

    public int Losses { get; private set; }

    public int EndsKnown { get; private set; }

    public int HardStatesLost { get; private set; }

    public int StatesLost { get; private set; }

    public int Healed { get; private set; }

    public int WholeStarts { get; private set; }

    public int RefusedStarts { get; private set; }

    public void Run(int rounds)
    {
        for (int round = 0; round < rounds && RefusedStarts == 0; round++)
        {
            for (int step = _random.Next(25); step >= 0; step--)
            {
                Step();
            }

            bool isSealed = !_random.OneIn(3);
            if (isSealed)
            {
                Seal();
            }

            _rig.Disk.PowerCut(_ => false);
            if (!_random.OneIn(4))
            {
                Rot(isSealed);
            }

            Restart();
        }
    }

    private void Make()
    {
        GroupId id = Records.Group(++_made);
        _groups.Add(id, new RottingGroup(id));
    }

    private void Step()
    {
        RottingGroup group = _groups.Values.ElementAt(_random.Next(_groups.Count));
        if (group.IsUnknown || (_random.OneIn(60) && _groups.Count > 1))
        {
            Write(new JournalRecord { Group = group.Id, Deleted = true });
            _groups.Remove(group.Id);
            Make();
            return;
        }

        Answer();
        switch (_random.Next(14))
        {
            case 0:
                Write(group.Vote(_random.Next(4)));
                break;
            case 1 when group.CanTruncate:
                Write(group.Truncate(_random));
                break;
            case 2:
                Write(group.Release(group.Model.SegmentsDurable + _random.NextInt64(group.Model.LastIndex - group.Model.SegmentsDurable + 1)));
                break;
            case 3 when _random.OneIn(3):
                Write(group.Install(_random.Next(1, 5)));
                break;
            case 4 when group.Damage is not null:
                Healed++;
                Write(group.Heal());
                break;
            case 5 when _random.OneIn(4):
                Write(group.GiveUp());
                break;
            default:
                Write(group.Append(_random.Next(1, 4), commits: _random.OneIn(2)));
                break;
        }
    }

    private void ReleaseWanted(GroupId group, LogIndex upTo)
    {
        if (_groups.TryGetValue(group, out RottingGroup? asked))
        {
            asked.ReleaseWanted(upTo.Value);
        }
        else
        {
            _strangers.Add(group);
        }
    }

    private void Answer()
    {
        // The record of its end was lost.
        foreach (GroupId stranger in _strangers.ToArray())
        {
            Write(new JournalRecord { Group = stranger, Deleted = true });
        }

        _strangers.Clear();
        foreach (RottingGroup asked in _groups.Values)
        {
            if (asked.TakeWish() is { } upTo)
            {
                // One of which nothing is known does not run, and only gives up what it has.
                Write(asked.IsUnknown ? new JournalRecord { Group = asked.Id, GivenUp = true } : asked.Release(upTo));
            }
        }
    }

    private void Seal()
    {
        for (int tick = 0; _rig.Journal.WantsTick || _rig.Journal.QueuedRecords > 0; tick++)
        {
            Assert.True(tick < 100);
            Answer();
            _rig.Journal.Tick(tick * 10);
            _rig.Queue.RunAll();
        }
    }

    private void Write(JournalRecord record)
    {
        _rig.Append(record);
        _rig.Journal.Flush();
        _rig.Queue.RunAll();
    }

    /// <summary>
    /// Damage comes in neighbourhoods. The last batch is spared, which without one behind it can't be told from a torn one; docs/on-disk.md says so.
    /// </summary>
    private void Rot(bool isSealed)
    {
        string[] files = [.. _rig.Disk.List(JournalFile.Folder).Select(name => $"{JournalFile.Folder}/{name}")];
        if (_random.OneIn(6) && files.Length > 3)
        {
            _rig.Disk.DeleteFile(files[_random.Next(files.Length - 2)]);
            return;
        }

        string[] used = [.. files.Where(file => RottableBlocks(file, isSealed) > 0)];
        if (used.Length == 0)
        {
            return;
        }

        string rotten = used[_random.OneIn(2) ? used.Length - 1 : _random.Next(used.Length)];
        int blocks = RottableBlocks(rotten, isSealed);
        int from = _random.Next(blocks);
        int bad = _random.Next(2, 9);
        for (int block = from; block < Math.Min(blocks, from + bad); block++)
        {
            // Of a header's block the head counts, of others all.
            _rig.Disk.Decay(rotten, ((long)block * Block) + _random.Next(100), (byte)(1 << _random.Next(8)));
        }
    }

    /// <summary>Blocks of batches, but the last one's, that were written to the file under this name; a recycled one has others behind.</summary>
    private int RottableBlocks(string file, bool isSealed)
    {
        using IDiskFile open = _rig.Disk.Open(file, DiskFileMode.Existing);
        byte[] bytes = new byte[open.Length];
        open.Read(0, bytes);
        Assert.True(JournalFile.TryParse(file[(JournalFile.Folder.Length + 1)..], out long number));
        int end = 0;
        int last = 0;
        while (end + Block <= bytes.Length && BatchHeader.TryReadLength(bytes.AsSpan(end, Block), out int headerBytes)
            && end + headerBytes <= bytes.Length && BatchHeader.TryRead(bytes.AsSpan(end, headerBytes), out BatchHeader header) && header.FileNumber == number)
        {
            last = end;
            end = (int)header.FileEnd;
        }

        // A seal has two blocks at most.
        return isSealed ? (end / Block) - 2 : last / Block;
    }

    private void Restart()
    {
        try
        {
            _rig.Start(damageIsFailure: false, folders: [.. _groups.Keys], hasNoFiles: group => _groups.TryGetValue(group, out RottingGroup? lives) && !lives.HadFiles);
        }
        catch (JournalRefusedException)
        {
            // Its newest file, or the first one of a start, holds nothing any more: the node must not come back.
            RefusedStarts++;
            return;
        }

        int losses = Losses;
        foreach (RottingGroup group in _groups.Values)
        {
            JournalDamage? damage = _rig.Replayed.Damages.TryGetValue(group.Id, out JournalDamage told) ? told : null;
            if (group.Restarted(_rig.Replayed.Groups.GetValueOrDefault(group.Id) ?? new GroupModel(), damage))
            {
                Losses++;
                EndsKnown += told.Held is null ? 0 : 1;
                HardStatesLost += told is { HardStateLost: true, StateLost: false } ? 1 : 0;
                StatesLost += told.StateLost ? 1 : 0;
            }
        }

        WholeStarts += Losses == losses ? 1 : 0;
    }
}
