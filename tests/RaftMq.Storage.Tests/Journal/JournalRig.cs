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

    public List<(GroupId Group, LogIndex UpTo)> ReleasesWanted { get; } = [];

    /// <summary>Called for each wish, besides the list.</summary>
    public Action<GroupId, LogIndex>? OnReleaseWanted { get; set; }

    public JournalRig Start(bool damageIsFailure = true)
    {
        Queue = new SteppedDiskQueue(Disk);
        Replayed = new JournalModel { DamageIsFailure = damageIsFailure };
        ReleasesWanted.Clear();
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
        HashSet<GroupId> reset = [];
        for (int next = Acknowledged, moved = Acknowledged; count < 0 && next < Appended.Count; next++)
        {
            if (Appended[next].Reset is not null)
            {
                reset.Add(Appended[next].Group);
            }

            if (OnlyReleases(Appended[next]) && !reset.Contains(Appended[next].Group))
            {
                // Perhaps the batch that was on its way was one of those that overtake, or began with records that had no room to.
                JournalRecord record = Appended[next];
                Appended.RemoveAt(next);
                Appended.Insert(moved++, record);
                count = FindPrefix(moved);
            }
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

    public void Written(JournalRecord record)
    {
        if (!ReferenceEquals(Appended[Acknowledged], record))
        {
            // In a full journal what only releases overtakes, and nothing else does.
            Assert.True(OnlyReleases(record));
            Assert.True(Appended.Remove(record));
            Appended.Insert(Acknowledged, record);
        }

        Acknowledged++;
    }

    public void ReleaseWanted(GroupId group, LogIndex upTo)
    {
        ReleasesWanted.Add((group, upTo));
        OnReleaseWanted?.Invoke(group, upTo);
    }

    private static bool OnlyReleases(JournalRecord record) =>
        record.Entries.Count == 0 && record.HardState is null && record.Reset is null && (record.Deleted || record.SegmentsDurable is not null);

    private int FindPrefix(int atLeast)
    {
        JournalModel model = JournalModel.Of(Appended.Take(atLeast));
        string replayed = Replayed.Describe();
        for (int count = atLeast; ; count++)
        {
            if (model.Describe() == replayed)
            {
                return count;
            }

            if (count == Appended.Count)
            {
                return -1;
            }

            model.At(Appended[count].Group).Apply(Appended[count]);
        }
    }
}
