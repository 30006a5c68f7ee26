namespace RaftMq.Raft.Tests.Support;

/// <summary>
/// One replica with its disk and its writes in flight: does what a shell has to do with a ready, and checks what must be durable
/// before what leaves. When a write is done, and when a message arrives, is up to the caller.
/// </summary>
internal sealed class Host(ReplicaId id, Membership initial, RaftConfig template, RandomSource random)
{
    private readonly Queue<Write> _writes = new();
    private long _boot;
    private bool _overtook;
    private RaftGroup? _group;
    private MemoryTail? _tail;

    public ReplicaId Id { get; } = id;

    public MemoryDisk Disk { get; } = new(initial);

    public bool IsUp => _group is not null;

    public RaftGroup Group => _group ?? throw new InvalidOperationException($"{Id} is down");

    public MemoryTail Tail => _tail ?? throw new InvalidOperationException($"{Id} is down");

    public BootNumber Boot => new(_boot);

    public int WritesInFlight => _writes.Count;

    public LogIndex Applied { get; private set; }

    public InstallSnapshot? ToInstall { get; private set; }

    public Queue<ReplicaId> SnapshotsAsked { get; } = new();

    public Queue<LogReadRequest> ReadsAsked { get; } = new();

    public Action<Host, Outgoing> OnSend { get; set; } = static (_, _) => { };

    public Action<Host, Ready> OnReady { get; set; } = static (_, _) => { };

    public Action<Host, Entry> OnApply { get; set; } = static (_, _) => { };

    public Action<Host, ReadConfirmed> OnRead { get; set; } = static (_, _) => { };

    public void Start()
    {
        Assert.False(IsUp);
        _boot++;
        _tail = Disk.ToTail();
        _group = new RaftGroup(
            template with { Self = Id, Boot = Boot }, Disk.ToStart(), _tail, random.Split());
        Applied = Disk.BaseIndex;
        Pump();
    }

    /// <summary>The first <paramref name="written"/> writes in flight reach the disk, unconfirmed; the rest is lost.</summary>
    public void Crash(int written)
    {
        for (int i = 0; i < written; i++)
        {
            _writes.Dequeue().ApplyTo(Disk);
        }

        _writes.Clear();
        ReadsAsked.Clear();
        SnapshotsAsked.Clear();
        ToInstall = null;
        (_group, _tail) = (null, null);
    }

    public void Do(Action<RaftGroup> action)
    {
        action(Group);
        Pump();
    }

    public bool Propose(string text)
    {
        if (Group.Admit(text.Length) is not ProposeResult.Admitted admitted)
        {
            return false;
        }

        Entry stored = Tail.Append(MemoryTail.Make(admitted.Index, admitted.Term, text));
        Do(g => g.Propose(stored));
        return true;
    }

    /// <summary>The oldest write in flight is done.</summary>
    public void CompleteWrite()
    {
        Write write = _writes.Dequeue();
        write.ApplyTo(Disk);
        Group.Persisted(write.Token);
        foreach (Outgoing outgoing in write.Messages)
        {
            Transmit(outgoing);
        }

        Pump();
    }

    /// <summary>
    /// The disk made the hard states of all writes in flight durable, before the entries of the first of them: what a full journal does.
    /// </summary>
    public void OvertakeWithHardStates()
    {
        Write[] overtaking = [.. _writes.Where(write => write.HardState is not null)];
        foreach (Write write in overtaking)
        {
            Disk.Write(write.HardState, []);
            write.HardState = null;
        }

        _overtook |= overtaking.Length > 0;
        foreach (Write write in overtaking)
        {
            Group.HardStatePersisted(write.Token);
            foreach (Outgoing outgoing in write.Messages)
            {
                Transmit(outgoing);
            }

            write.Messages = [];
        }

        Pump();
    }

    public void Install(bool succeeds)
    {
        InstallSnapshot snapshot = ToInstall!;
        ToInstall = null;
        if (!succeeds)
        {
            Do(g => g.SnapshotFailed(snapshot.SnapshotIndex));
            return;
        }

        // The reset record stands behind the writes in flight; it is durable, so they are, though their notices are still to come.
        foreach (Write write in _writes)
        {
            write.ApplyTo(Disk);
        }

        Disk.Reset(snapshot.SnapshotIndex, snapshot.SnapshotTerm, snapshot.Membership);
        Tail.ResetTo(snapshot.SnapshotIndex);
        Applied = snapshot.SnapshotIndex;
        Do(g => g.SnapshotInstalled(snapshot.SnapshotIndex, snapshot.SnapshotTerm, snapshot.Membership));
    }

    public void SendSnapshot()
    {
        ReplicaId follower = SnapshotsAsked.Dequeue();
        Do(g => g.SnapshotSent(follower, Disk.BaseIndex, Disk.BaseTerm, Disk.BaseMembership));
    }

    public void CompleteRead()
    {
        LogReadRequest read = ReadsAsked.Dequeue();
        List<Entry> entries = [];
        for (LogIndex i = read.From; i <= read.To && i > Disk.BaseIndex && i <= Disk.LastIndex; i = i.Next)
        {
            entries.Add(MemoryTail.Copy(Disk.At(i)));
            if (entries.Sum(e => e.SizeBytes) >= read.MaxBytes)
            {
                break;
            }
        }

        Do(g => g.EntriesRead(read.Follower, read.From, entries));
    }

    public void CutLogTo(LogIndex index)
    {
        index = LogIndex.Min(index, LogIndex.Min(Applied, Group.DurableIndex));
        if (index > Disk.BaseIndex)
        {
            Disk.CutTo(index);
            Tail.ForgetUpTo(index);
            Do(g => g.LogCut(index));
        }
    }

    /// <summary>Entries that are committed and durable are not kept in memory for ever.</summary>
    public void ForgetMemory() => Tail.ForgetUpTo(LogIndex.Min(Applied, Group.DurableIndex));

    // Writes keep the bytes of entries that the tail forgets meanwhile (ILogTail.TruncateFrom).
    public void Pump()
    {
        while (Group.HasReady)
        {
            Ready ready = Group.TakeReady();
            if (ready.Persist is { } token)
            {
                _writes.Enqueue(new Write(
                    token, ready.HardState, [.. ready.Entries.Select(e => MemoryTail.Copy(e))], ready.Healed, ready.MessagesAfterPersist ?? []));
            }

            Assert.Equal(ready.Persist is null, ready.HardState is null && ready.Entries.Count == 0 && !ready.Healed);
            OnReady(this, ready);
            foreach (Outgoing outgoing in ready.Messages)
            {
                Transmit(outgoing);
            }

            Apply(ready.Committed);
            ToInstall = ready.SnapshotToInstall ?? ToInstall;
            ready.SnapshotsToSend.ForEach(SnapshotsAsked.Enqueue);
            ready.LogReads.ForEach(ReadsAsked.Enqueue);
            foreach (ReadConfirmed read in ready.ReadsConfirmed)
            {
                OnRead(this, read);
            }
        }
    }

    private void Apply(LogIndex committed)
    {
        while (Applied < committed)
        {
            Applied = Applied.Next;
            OnApply(this, Tail.FirstInMemory <= Applied ? Tail.At(Applied) : Disk.At(Applied));
        }

        // Not above what is durable of this very log: the disk may still hold another history there.
        Disk.CommitHint = LogIndex.Max(Disk.CommitHint, LogIndex.Min(Applied, Group.DurableIndex));
    }

    private void Transmit(Outgoing outgoing)
    {
        CheckDurableFirst(outgoing);
        OnSend(this, outgoing with { Message = Copy(outgoing.Message) });
    }

    // P-01, P-02: a message's promise is on the disk before the message leaves.
    private void CheckDurableFirst(Outgoing outgoing)
    {
        RaftMessage message = outgoing.Message;
        if (message is not (PreVoteRequest or PreVoteReply { Granted: true } or PreVoteReply { Abstains: true }))
        {
            Assert.True(Disk.HardState.Term >= message.Term, $"{Id} sends {message} with {Disk.HardState} on its disk");
        }

        switch (message)
        {
            case VoteRequest m:
                // Where hard states overtake entries a candidate may name such as it may lose: it leads in this life only (docs/raft.md).
                Assert.True(
                    m.LastIndex <= Disk.LastIndex || Disk.HardState.Term > m.Term || _overtook, "a candidate names what it may lose");
                Assert.True(Disk.HardState.Term > m.Term || Disk.HardState.Vote == Id, "its own vote is not durable");
                break;
            case VoteReply { Granted: true } m:
                Assert.True(
                    Disk.HardState.Term > m.Term || Disk.HardState.Vote == outgoing.To, $"{Id} grants a vote that is not durable");
                break;
            default:
                break;
        }
    }

    private static RaftMessage Copy(RaftMessage message) => message is AppendEntries append
        ? append with { Entries = [.. append.Entries.Select(e => MemoryTail.Copy(e))] }
        : message;

    private sealed class Write(PersistToken token, HardState? hardState, List<Entry> entries, bool healed, List<Outgoing> messages)
    {
        private bool _applied;

        public PersistToken Token => token;

        /// <summary>Null also when it overtook.</summary>
        public HardState? HardState { get; set; } = hardState;

        public List<Outgoing> Messages { get; set; } = messages;

        public void ApplyTo(MemoryDisk disk)
        {
            if (!_applied)
            {
                _applied = true;
                disk.Write(HardState, entries);
                if (healed)
                {
                    disk.EndDamage();
                }
            }
        }
    }
}
