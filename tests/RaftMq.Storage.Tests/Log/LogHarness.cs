using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Storage.Tests.Log;

/// <summary>
/// One group's log on a simulated disk, driven as a shard drives it, with a naive oracle beside it: the list of all entries. Its state
/// machine is a running hash of the applied entries. After a crash the log comes back through recovery and is compared with the oracle.
/// </summary>
internal sealed class LogHarness : ILogReadWaiter, IGroupLogOwner, ICheckpointWaiter, ISnapshotInstallOwner, IGroupCreationWaiter
{
    public static readonly GroupId Group = new(new UInt128(0x0123456789ABCDEF, 0xFEDCBA9876543210));
    public static readonly Membership First = Membership.Of(Replica(1), Replica(2), Replica(3));

    private readonly Dictionary<LogRead, Action<LogRead>> _checks = [];
    private LogIndex _handed;
    private long _now = 1_000_000;
    private Checkpoint? _installing;
    private SnapshotInstall? _install;

    public LogHarness(RandomSource random)
    {
        Random = random;
        Disk = new SimulatedDisk(random.Split());
        Journal.Before = index => [.. Oracle.Take((int)index.Value)];
        Start(create: true);
    }

    public RandomSource Random { get; }

    public SimulatedDisk Disk { get; }

    public FakeJournal Journal { get; } = new();

    public SteppedDiskQueue Queue { get; private set; } = null!;

    public NodeStore Store { get; private set; } = null!;

    public TailPool Pool { get; private set; } = null!;

    public GroupLog Log { get; private set; } = null!;

    public RecoveredGroup? Found { get; private set; }

    /// <summary>Stored entries from index 1 on; those before a snapshot that was installed are kept too.</summary>
    public List<byte[]> Oracle { get; } = [];

    /// <summary>Segment bytes and pool budget: small, so that everything happens often.</summary>
    public RollPolicy Roll { get; set; } = new(1500, 1_000_000);

    public long PoolBytes { get; set; } = 8 << 10;

    /// <summary>Committed in the cluster: never lost.</summary>
    public LogIndex Committed { get; set; }

    public LogIndex Applied { get; private set; }

    public LogIndex Durable { get; private set; }

    public Term Term { get; private set; } = new(1);

    public long State { get; private set; } = 1;

    public LogIndex CutBase { get; private set; }

    public int ReadsChecked { get; private set; }

    public int Installed { get; private set; }

    public long LimitPending { get; set; } = 1 << 20;

    public static ReplicaId Replica(int node) => new(new NodeId(node), new StoreId((UInt128)node));

    public EntryHeader HeaderOf(LogIndex index) => EntryLayout.ReadUnchecked(Oracle[(int)index.Value - 1]);

    public long OffsetBehind(LogIndex index) => index == LogIndex.Zero ? 0 : HeaderOf(index).NextOffset;

    // --- the shard's work ---

    public void AppendData(int bodyBytes, int records)
    {
        Log.Tail.NowMs = _now += Random.Next(50);
        long timestamp = _now - Random.Next(200);
        byte[] batch = TestBatch.Make(Random, bodyBytes);
        Hand(Log.Tail.EncodeBatch(Term, batch, records, timestamp));
    }

    public void AppendNoop() => Hand(Log.Tail.AppendOwn(Log.LastIndex.Next, Term, EntryKind.Noop, null));

    public void AppendMembership() => Hand(Log.Tail.AppendOwn(
        Log.LastIndex.Next, Term, EntryKind.Membership, Membership.Of(Replica(1), Replica(2), Replica(Random.Next(3, 9)))));

    /// <summary>A new leader replaces uncommitted entries.</summary>
    public void Truncate()
    {
        LogIndex from = Committed + 1 + Random.NextInt64(Math.Max(1, Log.LastIndex - Committed));
        if (from <= Log.LastIndex)
        {
            Log.Tail.TruncateFrom(from);
            Oracle.RemoveRange((int)from.Value - 1, Oracle.Count - (int)from.Value + 1);
            _handed = LogIndex.Min(_handed, from.Previous);
            Durable = LogIndex.Min(Durable, from.Previous);
        }

        Term = new Term(Term.Value + 1);
        AppendNoop();
    }

    public void Commit(LogIndex upTo)
    {
        Committed = LogIndex.Max(Committed, LogIndex.Min(upTo, Log.LastIndex));
        Advance();
    }

    /// <summary>Applies committed entries, taking bases where segments begin.</summary>
    public void Apply(long count)
    {
        while (count-- > 0 && Applied < Committed)
        {
            ReadOnlyMemory<byte> next = Log.Tail.BytesAt(Applied.Next);
            ApplyOne(next);
        }

        Advance();
    }

    /// <summary>Entries one by one, each stored, committed and applied; then all of them are in segments.</summary>
    public void Fill(int entries)
    {
        for (int i = 0; i < entries; i++)
        {
            AppendData(40 + (i * 3), 1 + (i % 3));
            Settle();
            Commit(Log.LastIndex);
            Apply(1);
        }

        Settle();
        Release(Journal.Count);
        Settle();
    }

    /// <summary>Entries one by one, each written to the journal, committed and applied, while the disk does nothing.</summary>
    public void Run(int entries)
    {
        for (int i = 0; i < entries; i++)
        {
            AppendData(60, 2);
            StepJournal();
            Commit(Log.LastIndex);
            Apply(1);
        }
    }

    public bool WriteNewest() => Log.WriteNewest(Log.FreezeHead(Applied), 1, StateBytes(State), this);

    public void Cut(long offset) => Log.CutTo(offset);

    public void Release(int records)
    {
        if (Journal.NeededOf(records) is var needed && needed > LogIndex.Zero)
        {
            ((IJournalOwner)Store).ReleaseWanted(Group, needed);
        }
        else
        {
            Journal.Recycle(records);
        }
    }

    /// <summary>The cluster went on without this replica; its leader sends a base checkpoint.</summary>
    public void BeginInstall(int entries)
    {
        if (_install is not null)
        {
            return;
        }

        if (Log.LastIndex > Committed)
        {
            Log.Tail.TruncateFrom(Committed.Next);
            Oracle.RemoveRange((int)Committed.Value, Oracle.Count - (int)Committed.Value);
            _handed = LogIndex.Min(_handed, Committed);
            Durable = LogIndex.Min(Durable, Committed);
        }

        TermTable terms = new();
        terms.Reset([.. Log.Tail.Terms.Starts]);
        LogTail leader = new(
            Group, new TailPool(), new TailStart(Log.LastIndex, Log.NextOffset, null, [(Log.LastIndex, First)]), terms, Roll);
        long state = StateAt(Committed);
        for (int i = 0; i < entries; i++)
        {
            Entry entry = leader.EncodeBatch(Term, TestBatch.Make(Random, Random.Next(50)), Random.Next(1, 4), _now);
            Oracle.Add(entry.Bytes.ToArray());
            state = Fold(state, entry.Bytes.Span);
        }

        LogIndex index = leader.LastIndex;
        _installing = new Checkpoint(
            new CheckpointHead(Group, index, leader.LastTerm, First, leader.NextOffset, new LogIndex(1), 0, terms.UpTo(index)),
            1,
            StateBytes(state));
        byte[] bytes = [.. CheckpointCodec.EncodeHead(_installing), .. _installing.State.ToArray()];
        bytes = [.. bytes, .. System.Security.Cryptography.SHA256.HashData(bytes)];
        _install = Log.BeginInstall(index, leader.LastTerm, this);
        for (int at = 0; at < bytes.Length; at += 40)
        {
            _install.Append(at, bytes.AsMemory(at, Math.Min(40, bytes.Length - at)));
        }

        _install.Finish();
    }

    public bool IsInstalling => _install is not null;

    public bool StepDisk(DiskLane lane) => Queue.Step(lane);

    public void StepJournal()
    {
        if (Journal.Step())
        {
            Advance();
        }
    }

    public void Settle()
    {
        bool moved = true;
        while (moved)
        {
            moved = Queue.Step(DiskLane.Background) || Queue.Step(DiskLane.Read);
            if (Journal.DurableCount < Journal.Count)
            {
                StepJournal();
                moved = true;
            }

            Log.Pump();
        }
    }

    // --- reads, compared with the oracle ---

    public void ReadRandomly()
    {
        if (Log.NextOffset == Log.LogStartOffset)
        {
            return;
        }

        switch (Random.Next(5))
        {
            case 0:
                ReadConsumer(Log.LogStartOffset + Random.NextInt64(Log.NextOffset - Log.LogStartOffset), Random.Next(1, 2000));
                break;
            case 1 when Log.LastIndex > Log.BaseIndex:
                ReadFollower(Log.FirstIndex + Random.NextInt64(Log.LastIndex - Log.BaseIndex), Random.Next(1, 2000));
                break;
            case 2:
                FindOffset(Log.LogStartOffset + Random.NextInt64(Log.NextOffset - Log.LogStartOffset));
                break;
            case 3:
                FindGreatestTimestamp(Random.NextInt64(Log.NextOffset + 1));
                break;
            default:
                FindTimestamp(_now - Random.Next(3000), Random.OneIn(2) ? 0 : Random.NextInt64(Log.NextOffset + 1));
                break;
        }
    }

    public void ReadConsumer(long offset, int maxBytes)
    {
        long upTo = OffsetBehind(LogIndex.Min(Committed, Log.LastIndex));
        Ask(Log.ReadForConsumer(offset, maxBytes, upTo, this), read =>
        {
            Assert.Equal(LogReadStatus.Done, read.Status);
            long next = offset;
            int bytes = 0;
            int at = 0;
            foreach (byte[] entry in Oracle)
            {
                EntryHeader header = EntryLayout.ReadUnchecked(entry);
                if (header.NextOffset <= offset || header.Kind != EntryKinds.Data)
                {
                    continue;
                }

                if (at == read.Batches.Count)
                {
                    // It may stop early (at a segment's end), but never before the first, and never past a batch.
                    Assert.True(at > 0 || header.NextOffset > upTo || read.NextOffset > offset || next >= upTo);
                    Assert.True(read.NextOffset <= header.BaseOffset || at == 0 && header.NextOffset > upTo);
                    break;
                }

                Assert.Equal(entry.AsSpan(EntryLayout.HeaderBytes), read.Batches[at].Span);
                Assert.True(header.NextOffset <= upTo);
                bytes += read.Batches[at].Length;
                at++;
                next = header.NextOffset;
            }

            Assert.Equal(at, read.Batches.Count);
            Assert.True(at <= 1 || bytes <= maxBytes);
            Assert.True(read.NextOffset >= next);
            Assert.True(offset >= upTo || read.NextOffset > offset);
        });
    }

    public void ReadFollower(LogIndex from, int maxBytes) =>
        Ask(Log.ReadForFollower(from, Log.LastIndex, maxBytes, this), read =>
        {
            Assert.Equal(LogReadStatus.Done, read.Status);
            Assert.NotEmpty(read.Entries);
            LogIndex next = from;
            foreach (Entry entry in read.Entries)
            {
                Assert.Equal(next, entry.Index);
                Assert.Equal(Oracle[(int)next.Value - 1].AsSpan(), entry.Bytes.Span);
                Assert.Equal(entry.Kind == EntryKind.Membership, entry.Membership is not null);
                next = next.Next;
            }

            Assert.True(read.Entries.Count == 1 || read.SizeBytes <= maxBytes);
        });

    public void FindOffset(long offset)
    {
        EntryHeader? expected = Headers().Where(header => header.NextOffset > offset).Select(header => (EntryHeader?)header).FirstOrDefault();
        Ask(Log.FindOffset(offset, this), read => Assert.Equal(expected, read.Found));
    }

    public void FindGreatestTimestamp(long fromOffset)
    {
        LogIndex committed = LogIndex.Min(Committed, Log.LastIndex);
        long expected = Headers()
            .Where(header => header.RecordCount > 0 && header.Index <= committed && header.NextOffset > fromOffset)
            .Select(static header => header.TimestampMs).DefaultIfEmpty(-1).Max();
        Ask(Log.FindGreatestTimestamp(fromOffset, this), read => Assert.Equal(expected, read.GreatestTimestampMs));
    }

    public void FindTimestamp(long timestamp, long fromOffset)
    {
        LogIndex committed = LogIndex.Min(Committed, Log.LastIndex);
        EntryHeader? expected = Headers()
            .Where(header => header.RecordCount > 0 && header.TimestampMs >= timestamp && header.Index <= committed && header.NextOffset > fromOffset)
            .Select(header => (EntryHeader?)header).FirstOrDefault();
        Ask(Log.FindTimestamp(timestamp, fromOffset, this), read =>
        {
            if (read.Found is null && read.NextOffset > fromOffset)
            {
                // Nothing in that file: on behind it.
                Assert.True(expected is null || expected.Value.NextOffset > read.NextOffset);
                FindTimestamp(timestamp, read.NextOffset);
            }
            else
            {
                Assert.Equal(expected, read.Found);
            }
        });
    }

    // --- crashes ---

    /// <summary>The same life again and again, with segments of some entries, crashed at the first operation of the disk, the second, and so on.</summary>
    /// <param name="seedStep">Each life has a seed of its own.</param>
    /// <param name="live">Ends, when there was no crash.</param>
    /// <param name="crashed">Is shown what the crash left, and the operation's number.</param>
    /// <returns>How many operations there are.</returns>
    public static int CrashAtEveryOperation(ulong seedStep, Action<LogHarness> live, Action<LogHarness, int> crashed)
    {
        for (int operation = 1; ; operation++)
        {
            LogHarness harness = new(new RandomSource((ulong)operation * seedStep));
            harness.SetRoll(new RollPolicy(600, 1_000_000));
            harness.Disk.CrashAfter(operation);
            try
            {
                live(harness);
                return operation - 1;
            }
            catch (SimulatedCrashException)
            {
                crashed(harness, operation);
            }
        }
    }

    /// <summary>The process (and with <paramref name="power"/> the machine) dies, then the log comes back and is compared.</summary>
    public void CrashAndRecover(bool power, int crashesInRecovery)
    {
        Journal.Crash(Random);
        for (int i = 0; i <= crashesInRecovery; i++)
        {
            Die(power);
            if (i < crashesInRecovery)
            {
                Disk.CrashAfter(Random.Next(1, 12));
            }

            try
            {
                Start(create: false);
                Disk.CancelCrash();
                break;
            }
            catch (SimulatedCrashException)
            {
                Assert.True(i < crashesInRecovery);
            }
        }
    }

    public void Die(bool power)
    {
        _checks.Clear();
        _install = null;
        if (power)
        {
            Disk.PowerCut(Random);
        }
        else
        {
            Disk.ProcessCrash();
        }
    }

    public void Start(bool create)
    {
        Queue = new SteppedDiskQueue(Disk);
        Pool = new TailPool(PoolBytes);
        Store = NodeStore.Scan(Disk, new NodeStoreLimits(LimitPending));
        GroupLogEnvironment environment = new(Queue, Journal, Pool);
        if (create)
        {
            Store.CreateGroup(Group, "orders-0", First, environment, this);
            Queue.RunAll();
            return;
        }

        Journal.Replay(Group, Store);
        Found = Assert.Single(Store.Finish((_, _) => environment));
        if (Found is not RecoveredGroup.Healthy healthy)
        {
            return;
        }

        Adopt(healthy);
    }

    void IGroupCreationWaiter.GroupCreated(GroupId group, GroupLog log, RaftStart raft)
    {
        Log = log;
        Log.Attach(this);
        Log.Tail.Roll = Roll;
    }

    public void SetRoll(RollPolicy roll)
    {
        Roll = roll;
        Log.Tail.Roll = roll;
    }

    void ILogReadWaiter.ReadDone(LogRead read)
    {
        if (_checks.Remove(read, out Action<LogRead>? check))
        {
            check(read);
            ReadsChecked++;
        }
    }

    public List<string> DamagesFound { get; } = [];

    void IGroupLogOwner.LogDamaged(string report) => DamagesFound.Add(report);

    void IGroupLogOwner.LogCut(LogIndex baseIndex)
    {
        CutBase = baseIndex;
        Assert.Equal(baseIndex, Log.BaseIndex);
        Assert.Equal(HeaderOf(baseIndex).Term, Log.BaseTerm);
    }

    void ICheckpointWaiter.CheckpointWritten(CheckpointHead head)
    {
    }

    void ICheckpointWaiter.CheckpointDropped(CheckpointHead head)
    {
    }

    void ISnapshotInstallOwner.ChunkTaken(long nextPosition)
    {
    }

    void ISnapshotInstallOwner.Installed(Checkpoint checkpoint)
    {
        _install = null;
        Installed++;
        Assert.Equal(_installing!.Head.LastIndex, checkpoint.Head.LastIndex);
        Applied = checkpoint.Head.LastIndex;
        Committed = Applied;
        State = BinaryPrimitives.ReadInt64LittleEndian(checkpoint.State.Span);
        Durable = Applied;
        _handed = Applied;
        Assert.Equal(StateAt(Applied), State);
        _checks.Clear();
    }

    void ISnapshotInstallOwner.InstallFailed(string reason) => Assert.Fail(reason);

    public long StateAt(LogIndex index)
    {
        long state = 1;
        for (int i = 0; i < index.Value; i++)
        {
            state = Fold(state, Oracle[i]);
        }

        return state;
    }

    private void Adopt(RecoveredGroup.Healthy healthy)
    {
        Log = healthy.Log;
        Log.Attach(this);
        Log.Tail.Roll = Roll;

        // Committed entries are all there, and nothing is there that was not once appended.
        Assert.Equal(healthy.Raft.LastIndex, Log.LastIndex);
        Committed = LogIndex.Max(Committed, Log.BaseIndex);
        Assert.True(healthy.Raft.Commit <= Committed, $"recovered commit {healthy.Raft.Commit} above {Committed}; {healthy.Raft}; synced {Log.SyncedUpTo}; checkpoint {healthy.Checkpoint?.Head.LastIndex}; {string.Join(' ', Disk.List(Log.Folder))}; {Journal}");
        Oracle.Clear();
        Oracle.AddRange(Journal.Shadow);
        Assert.Equal(Oracle.Count, Log.LastIndex.Value);
        Assert.Equal(OffsetBehind(Log.LastIndex), Log.NextOffset);
        Assert.Equal(Log.BaseIndex, healthy.Raft.BaseIndex);
        Applied = healthy.Checkpoint?.Head.LastIndex ?? LogIndex.Zero;
        State = healthy.Checkpoint is { } checkpoint ? BinaryPrimitives.ReadInt64LittleEndian(checkpoint.State.Span) : 1;
        Assert.Equal(StateAt(Applied), State);
        Assert.True(Applied >= Log.BaseIndex);
        CheckRaftStart(healthy.Raft);
        Committed = LogIndex.Min(Committed, Log.LastIndex);
        foreach (ReadOnlyMemory<byte> bytes in healthy.Replay)
        {
            Assert.Equal(Oracle[(int)Applied.Value].AsSpan(), bytes.Span);
            ApplyOne(bytes);
        }

        Assert.Equal(healthy.Raft.Commit, Applied);
        _handed = Log.LastIndex;
        Durable = Log.LastIndex;
        Term = new Term(Math.Max(Term.Value, Log.Tail.LastTerm.Value) + 1);
        Advance();
    }

    private void CheckRaftStart(RaftStart raft)
    {
        Term last = raft.BaseTerm;
        Assert.Equal(raft.BaseIndex == LogIndex.Zero ? Term.Zero : HeaderOf(raft.BaseIndex).Term, raft.BaseTerm);
        List<(LogIndex, Term)> starts = [];
        // The checkpoint's stands for those at or below it.
        List<LogIndex> memberships = Applied > raft.BaseIndex ? [Applied] : [];
        for (LogIndex index = raft.BaseIndex.Next; index <= raft.LastIndex; index = index.Next)
        {
            EntryHeader header = HeaderOf(index);
            if (header.Term != last || starts.Count == 0)
            {
                starts.Add((index, header.Term));
                last = header.Term;
            }

            if (header.Kind == EntryKind.Membership && index > Applied)
            {
                memberships.Add(index);
            }
        }

        Assert.Equal(starts, raft.TermStarts);
        Assert.Equal(memberships, raft.Memberships.Select(entry => entry.Index));
    }

    private void ApplyOne(ReadOnlyMemory<byte> bytes)
    {
        EntryHeader header = EntryLayout.ReadUnchecked(bytes.Span);
        if (Log.NeedsBaseBefore(header))
        {
            Log.WriteBase(Log.FreezeHead(Applied), 1, StateBytes(State), this);
        }

        State = Fold(State, bytes.Span);
        Applied = header.Index;
    }

    private void Hand(Entry entry)
    {
        Oracle.Add(entry.Bytes.ToArray());
        Assert.Equal(Oracle.Count, entry.Index.Value);
        _handed = entry.Index;
        Journal.Append(new JournalRecord
        {
            Group = Group,
            Entries = [entry],
            Commit = LogIndex.Min(Committed, Log.LastIndex),
            HardState = new HardState(Term, null),
            Waiter = new Notice(this),
            Token = new PersistToken(0, entry.Index, entry.Term),
        });
    }

    private void Advance()
    {
        LogIndex committed = LogIndex.Min(Committed, Log.LastIndex);
        Log.Advance(Durable, committed, LogIndex.Min(Applied, committed));
    }

    private IEnumerable<EntryHeader> Headers() =>
        Oracle.Skip((int)Log.BaseIndex.Value).Select(entry => EntryLayout.ReadUnchecked(entry));

    private void Ask(LogRead read, Action<LogRead> check)
    {
        if (read.Status == LogReadStatus.Pending)
        {
            _checks.Add(read, check);
        }
        else
        {
            check(read);
            ReadsChecked++;
        }
    }

    private static byte[] StateBytes(long state)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, state);
        return bytes;
    }

    private static long Fold(long state, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            state = unchecked((state ^ value) * 0x100000001B3);
        }

        return state;
    }

    private sealed class Notice(LogHarness harness) : IJournalWaiter
    {
        public void Written(JournalRecord record)
        {
            // Consensus' own tracker knows late notices; here the bytes say whether the entry is still the one that was written.
            Entry entry = record.Entries[0];
            if (entry.Index <= harness._handed && harness.Oracle[(int)entry.Index.Value - 1].AsSpan().SequenceEqual(entry.Bytes.Span))
            {
                harness.Durable = LogIndex.Max(harness.Durable, entry.Index);
            }
        }
    }
}
