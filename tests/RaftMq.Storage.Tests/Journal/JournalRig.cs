using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>
/// A journal over a simulated disk, with a list of everything that was appended and how much of it was acknowledged, kept over restarts.
/// </summary>
internal sealed class JournalRig : IJournalOwner, IJournalWaiter
{
    public static readonly StoreId Store = new(0x5708E);

    public static readonly JournalOptions Small = new()
    {
        FileBytes = 16 * 4096,
        TotalBytesMax = 8 * 16 * 4096,
        BatchBytesMax = 4 * 4096,
    };

    private readonly JournalOptions _options;

    /// <summary>Records whose hard state overtook them, with what <see cref="Appended"/> has in their place.</summary>
    private readonly Dictionary<JournalRecord, JournalRecord> _withoutHardState = new(ReferenceEqualityComparer.Instance);

    public JournalRig(SimulatedDisk disk, JournalOptions? options = null)
    {
        Disk = disk;
        _options = options ?? Small;
        Queue = new SteppedDiskQueue(disk);
    }

    public JournalRig(ulong seed = 1, JournalOptions? options = null)
        : this(new SimulatedDisk(new RandomSource(seed)), options)
    {
    }

    public SimulatedDisk Disk { get; }

    public SteppedDiskQueue Queue { get; private set; }

    public NodeJournal Journal { get; private set; } = null!;

    /// <summary>What the last start told.</summary>
    public JournalModel Replayed { get; private set; } = new();

    public List<JournalRecord> Appended { get; init; } = [];

    public int Acknowledged { get; set; }

    /// <summary>How many hard states were reported before their records.</summary>
    public int HardStatesOvertook { get; private set; }

    public List<(GroupId Group, LogIndex UpTo)> ReleasesWanted { get; } = [];

    /// <summary>Called for each wish, besides the list.</summary>
    public Action<GroupId, LogIndex>? OnReleaseWanted { get; set; }

    public JournalRig Start(bool damageIsFailure = true, IReadOnlyCollection<GroupId>? folders = null, Func<GroupId, bool>? hasNoFiles = null)
    {
        Queue = new SteppedDiskQueue(Disk);
        Replayed = new JournalModel
        {
            DamageIsFailure = damageIsFailure,
            Folders = folders ?? [.. Appended.Select(record => record.Group).Distinct()],
            HasNoFiles = hasNoFiles ?? (static _ => false),
        };
        ReleasesWanted.Clear();
        _withoutHardState.Clear();
        Journal = JournalRecovery.Open(Disk, _options, Store, Replayed, Queue, this);
        return this;
    }

    public void Append(JournalRecord record)
    {
        JournalRecord waited = new()
        {
            Group = record.Group,
            HardState = record.HardState,
            Entries = record.Entries,
            Commit = record.Commit,
            SegmentsDurable = record.SegmentsDurable,
            Reset = record.Reset,
            LogBase = record.LogBase,
            GivenUp = record.GivenUp,
            Healed = record.Healed,
            Deleted = record.Deleted,
            Waiter = this,
        };
        Appended.Add(waited);
        Journal.Append(waited);
    }

    /// <summary>Appends, writes and waits until all is acknowledged.</summary>
    public void Write(params JournalRecord[] records)
    {
        foreach (JournalRecord record in records)
        {
            Append(record);
        }

        Journal.Flush();
        Queue.RunAll();
        Assert.Equal(Appended.Count, Acknowledged);
    }

    public void Seal()
    {
        Journal.Tick(0);
        Journal.Tick(100);
        Queue.RunAll();
        Assert.False(Journal.WantsTick);
    }

    /// <summary>
    /// Starts again and checks promise DURABLE and "records become durable in order": what comes back is what some number of the first
    /// records says, and it is at least as many as were acknowledged. From there on only these count.
    /// </summary>
    public void RestartAndCheck()
    {
        Start();
        CheckReplayed();
    }

    public void CheckReplayed()
    {
        Assert.False(Replayed.IsDamaged, string.Join('\n', Replayed.Reports));
        int count = FindPrefix(Acknowledged);
        if (count < 0)
        {
            count = FindWithOvertaking();
        }

        if (count < 0)
        {
            int lost = Enumerable.Range(0, Acknowledged).LastOrDefault(
                n => JournalModel.Of(Appended.Take(n)).Describe() == Replayed.Describe(), -1);
            Assert.Fail($"{Appended.Count} appended, {Acknowledged} acknowledged; what came back is "
                + (lost >= 0 ? $"only the first {lost} of them" : "none of the states there ever were")
                + $".\nreplayed:\n{Replayed.Describe()}\nacknowledged:\n{JournalModel.Of(Appended.Take(Acknowledged)).Describe()}");
        }

        Appended.RemoveRange(count, Appended.Count - count);
        Acknowledged = count;
    }

    /// <summary>See <see cref="JournalModel.RequireNothingLostInSilence"/>; of what was not acknowledged any number may be there.</summary>
    public void RequireNothingLostInSilence()
    {
        for (int count = Acknowledged; ; count++)
        {
            try
            {
                Replayed.RequireNothingLostInSilence(JournalModel.Of(Appended.Take(count)));
                return;
            }
            catch (Xunit.Sdk.XunitException) when (count < Appended.Count)
            {
                // Not this one, then.
            }
        }
    }

    public void Written(JournalRecord record)
    {
        record = _withoutHardState.Remove(record, out JournalRecord? rest) ? rest : record;
        if (!ReferenceEquals(Appended[Acknowledged], record))
        {
            // In a full journal what only releases overtakes, and nothing else does.
            Assert.True(OnlyReleases(record));
            Assert.True(Appended.Remove(record));
            Appended.Insert(Acknowledged, record);
        }

        Acknowledged++;
    }

    public void HardStateWritten(JournalRecord record)
    {
        int at = Appended.IndexOf(record);
        Assert.True(at >= Acknowledged);
        Split(at, Acknowledged);
        _withoutHardState.Add(record, Appended[at + 1]);
        Acknowledged++;
        HardStatesOvertook++;
    }

    public void ReleaseWanted(GroupId group, LogIndex upTo)
    {
        ReleasesWanted.Add((group, upTo));
        OnReleaseWanted?.Invoke(group, upTo);
    }

    private static bool OnlyReleases(JournalRecord record) =>
        record.Entries.Count == 0 && record.HardState is null && record.Reset is null && (record.Deleted || (record.SegmentsDurable ?? record.LogBase) is not null);

    /// <summary>
    /// Perhaps the batch that was on its way was one in which some overtook, behind none or some of the first records: hard states, and
    /// where the journal had no room what only releases.
    /// </summary>
    private int FindWithOvertaking()
    {
        List<JournalRecord> appended = [.. Appended];
        for (int written = Acknowledged; written <= appended.Count; written++)
        {
            foreach ((bool releases, bool hardStates) in new[] { (false, true), (true, true), (true, false) })
            {
                Appended.Clear();
                Appended.AddRange(appended);
                int count = FindOvertaking(written, releases, hardStates);
                if (count >= 0)
                {
                    return count;
                }
            }
        }

        return -1;
    }

    private int FindOvertaking(int written, bool releases, bool hardStates)
    {
        HashSet<GroupId> reset = [];
        int moved = written;
        for (int next = written; next < Appended.Count; next++)
        {
            JournalRecord record = Appended[next];
            if (record.Reset is not null)
            {
                reset.Add(record.Group);
            }

            if (releases && OnlyReleases(record) && !reset.Contains(record.Group))
            {
                Appended.RemoveAt(next);
                Appended.Insert(moved++, record);
            }
            else if (hardStates && record.HardState is not null)
            {
                Split(next, moved++);
                next++;
            }
            else
            {
                continue;
            }

            if (FindPrefix(moved, moved) >= 0)
            {
                return moved;
            }
        }

        return -1;
    }

    /// <summary>Makes two of the record: its hard state, which goes to <paramref name="to"/>, and what is left, which stays.</summary>
    private void Split(int at, int to)
    {
        JournalRecord record = Appended[at];
        Appended[at] = new JournalRecord
        {
            Group = record.Group,
            Entries = record.Entries,
            Commit = record.Commit,
            SegmentsDurable = record.SegmentsDurable,
            Reset = record.Reset,
            LogBase = record.LogBase,
            Deleted = record.Deleted,
            Waiter = this,
        };
        Appended.Insert(to, new JournalRecord { Group = record.Group, HardState = record.HardState });
    }

    private int FindPrefix(int atLeast) => FindPrefix(atLeast, Appended.Count);

    private int FindPrefix(int atLeast, int atMost)
    {
        JournalModel model = JournalModel.Of(Appended.Take(atLeast));
        string replayed = Replayed.Describe();
        for (int count = atLeast; ; count++)
        {
            if (model.Describe() == replayed)
            {
                return count;
            }

            if (count == atMost)
            {
                return -1;
            }

            model.At(Appended[count].Group).Apply(Appended[count]);
        }
    }

    /// <summary>The same disk and history once more, dead by a killed process or, where a choice is given, by a power cut.</summary>
    public JournalRig Copy(Func<UnsyncedPart, bool>? power = null)
    {
        JournalRig copy = new(Disk.Clone(new RandomSource(4)), Small)
        {
            Appended = [.. Appended],
            Acknowledged = Acknowledged,
        };
        if (power is null)
        {
            copy.Disk.ProcessCrash();
        }
        else
        {
            copy.Disk.PowerCut(power);
        }

        return copy;
    }
}
