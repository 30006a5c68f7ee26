using RaftMq.Fuzz.Disk;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Fuzz.Formats;

/// <summary>A node's store that lives a little, with groups of short segments, each with its index and checkpoints of both kinds.</summary>
internal sealed class NodeLife : IJournalOwner, IGroupCreationWaiter
{
    private static readonly RollPolicy Roll = new(900, 1_000_000);

    private readonly List<Written> _groups = [];
    private readonly InlineQueue _queue;
    private readonly NodeStore _store;
    private readonly NodeJournal _journal;
    private readonly GroupLogEnvironment _environment;
    private int _step;

    /// <param name="firstStep">Goes on from earlier lives.</param>
    public NodeLife(FuzzDisk disk, int firstStep)
    {
        _step = firstStep;
        _queue = new InlineQueue(disk);
        StoreIdentity identity = StoreIdentity.Open(disk, new NodeId(3), StoreExpectation.MayBeEmpty, Samples.Store);
        _store = NodeStore.Scan(disk, new NodeStoreLimits());
        _journal = JournalRecovery.Open(disk, NodeFolders.Options, identity.Store, _store, _queue, this, mayBeNew: !_store.HasGroups);
        _environment = new GroupLogEnvironment(_queue, _journal, new TailPool());
        foreach (RecoveredGroup found in _store.Finish((_, _) => _environment))
        {
            RecoveredGroup.Healthy healthy = (RecoveredGroup.Healthy)found;
            healthy.Log.Tail.Roll = Roll;
            _groups.Add(new Written(healthy.Log, healthy));
        }
    }

    public int Step => _step;

    public void CreateGroups()
    {
        for (int i = 1; i <= 2; i++)
        {
            Membership membership = Membership.Of(i == 1 ? Samples.Replicas(1, 2, 3) : Samples.Replicas(3));
            _store.CreateGroup(new GroupId((UInt128)i), $"t-{i}", membership, _environment, this);
            _queue.RunAll();
        }
    }

    /// <summary>Entries in few batches, a checkpoint now and then, and, in the last life, a beginning that is cut away.</summary>
    public void Live(int steps, bool isLast)
    {
        for (int end = _step + steps; _step < end; _step++)
        {
            Written group = _groups[_step % _groups.Count];
            Entry entry = group.Log.Tail.EncodeBatch(new Term(1 + (_step / 8)), Samples.Batch(1 + (_step % 3)), 1 + (_step % 3), 1_700_000_000_000 + _step);
            _journal.Append(new JournalRecord
            {
                Group = group.Log.Group,
                Entries = [entry],
                Commit = group.Durable,
                HardState = new HardState(new Term(1 + (_step / 8)), Samples.Replica(1)),
                Waiter = group,
            });
            if (_step % 4 == 3)
            {
                _journal.Flush();
                _queue.RunAll();
                _groups.ForEach(static written => written.Apply());
                _queue.RunAll();
            }

            if (_step % 8 == 7)
            {
                _groups.ForEach(static written => written.Checkpoint());
                _queue.RunAll();
            }
        }

        if (isLast)
        {
            _groups[0].Cut();
            _queue.RunAll();
        }
    }

    /// <summary>All that is under way ends; a batch without records stands behind the last one.</summary>
    public void Settle()
    {
        _journal.Flush();
        for (int tick = 0; tick < 10; tick++)
        {
            _queue.RunAll();
            _journal.Tick(tick * 10);
        }
    }

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo) => ((IJournalOwner)_store).ReleaseWanted(group, upTo);

    void IGroupCreationWaiter.GroupCreated(GroupId group, GroupLog log, RaftStart raft)
    {
        log.Tail.Roll = Roll;
        _groups.Add(new Written(log, recovered: null));
    }

    private sealed class Written : IJournalWaiter
    {
        public Written(GroupLog log, RecoveredGroup.Healthy? recovered)
        {
            Log = log;
            if (recovered is null)
            {
                return;
            }

            Applied = recovered.Checkpoint?.Head.LastIndex ?? LogIndex.Zero;
            Durable = log.LastIndex;
            foreach (ReadOnlyMemory<byte> replayed in recovered.Replay)
            {
                Take(EntryLayout.ReadUnchecked(replayed.Span));
            }

            Apply();
        }

        public GroupLog Log { get; }

        public LogIndex Durable { get; private set; }

        private LogIndex Applied { get; set; }

        public void Apply()
        {
            while (Applied < Durable)
            {
                Take(EntryLayout.ReadUnchecked(Log.Tail.BytesAt(Applied.Next).Span));
            }

            Log.Advance(Durable, Durable, Applied);
        }

        public void Checkpoint() => Log.WriteNewest(Log.FreezeHead(Applied), 1, State, waiter: null);

        public void Cut() => Log.CutTo(Log.NextOffset / 2);

        void IJournalWaiter.Written(JournalRecord record)
        {
            Durable = LogIndex.Max(Durable, record.Entries[0].Index);
            Log.Advance(Durable, Durable, Applied);
        }

        private byte[] State => BitConverter.GetBytes(Applied.Value);

        private void Take(in EntryHeader next)
        {
            if (Log.NeedsBaseBefore(next))
            {
                Log.WriteBase(Log.FreezeHead(Applied), 1, State, waiter: null);
            }

            Applied = next.Index;
        }
    }
}
