using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Tests.Log;
using RaftMq.Testing.Seeds;

namespace RaftMq.Storage.Tests.Recovery;

/// <summary>Several groups over the real journal with small files: created, written, released, cut, deleted, and crashed at any operation.</summary>
public class NodeStoreTests
{
    [Fact]
    public void Acknowledged_entries_of_all_groups_survive_crashes_recycling_and_deletions()
    {
        long recycled = 0;
        int crashes = 0;
        int deleted = 0;
        RandomRuns runs = RandomRuns.Go(shortForm: 40, longForm: 6000, seed => Live(seed, steps: 600), node =>
        {
            recycled += node.Recycled;
            crashes += node.Crashes;
            deleted += node.Deleted;
        });

        runs.MustHaveSeen(crashes, 1, "crashes");
        runs.MustHaveSeen(deleted, 0.5, "deletions");
        runs.MustHaveSeen(recycled, 1, "releases wanted");
    }

    private static Node Live(ulong seed, int steps)
    {
        Node node = new(new RandomSource(seed));
        for (int step = 0; step < steps; step++)
        {
            node.Step();
        }

        return node;
    }

    private sealed class Node : IJournalOwner, IGroupCreationWaiter
    {
        private static readonly JournalOptions Options = new() { FileBytes = 32 << 10, TotalBytesMax = 256 << 10, BatchBytesMax = 16 << 10 };

        private readonly RandomSource _random;
        private readonly SimulatedDisk _disk;
        private readonly SortedDictionary<GroupId, Group> _groups = [];
        private SteppedDiskQueue _queue = null!;
        private NodeStore _store = null!;
        private NodeJournal _journal = null!;
        private GroupLogEnvironment _environment = null!;
        private int _nextGroup = 1;
        private bool _armed;

        public Node(RandomSource random)
        {
            _random = random;
            _disk = new SimulatedDisk(random.Split());
            Start();
            Create();
            _queue.RunAll();
        }

        public long Recycled { get; private set; }

        public int Crashes { get; private set; }

        public int Deleted { get; private set; }

        public void Step()
        {
            try
            {
                Act();
                if (!_armed && _random.OneIn(80))
                {
                    _disk.CrashAfter(_random.Next(1, 30));
                    _armed = true;
                }
            }
            catch (SimulatedCrashException)
            {
                Crash();
            }
        }

        void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo)
        {
            Recycled++;
            ((IJournalOwner)_store).ReleaseWanted(group, upTo);
        }

        void IGroupCreationWaiter.GroupCreated(GroupId group, GroupLog log, RaftStart raft)
        {
            log.Tail.Roll = new RollPolicy(4000, 1_000_000);
            _groups.Add(group, new Group { Log = log });
        }

        private void Create()
        {
            _store.CreateGroup(new GroupId((UInt128)_nextGroup), $"t-{_nextGroup}", LogHarness.First, _environment, this);
            _nextGroup++;
        }

        private void Act()
        {
            if (_groups.Count == 0 || (_groups.Count < 4 && _random.OneIn(40)))
            {
                Create();
                _queue.RunAll();
                return;
            }

            Group group = _groups.Values.ElementAt(_random.Next(_groups.Count));
            switch (_random.Next(16))
            {
                case < 5:
                    Append(group);
                    break;
                case < 8:
                    _queue.Step(DiskLane.Journal);
                    break;
                case < 11:
                    _queue.Step(DiskLane.Background);
                    break;
                case < 13:
                    group.Apply(_random.Next(4));
                    break;
                case 13 when group.Applied > group.Log.BaseIndex:
                    group.Log.WriteNewest(group.Log.FreezeHead(group.Applied), 1, group.StateBytes(), null);
                    break;
                case 14 when group.Applied > group.Log.BaseIndex && _random.OneIn(4):
                    long end = group.OffsetBehind(group.Applied);
                    group.Log.CutTo(Math.Max(group.Log.LogStartOffset, end / 2));
                    break;
                case 15 when _random.OneIn(30):
                    Delete(group);
                    break;
                default:
                    _queue.RunAll();
                    break;
            }
        }

        private void Append(Group group)
        {
            if (_journal.IsFull)
            {
                _queue.RunAll();
                group.Log.Pump();
                return;
            }

            Entry entry = group.Log.Tail.EncodeBatch(new Term(1), TestBatch.Make(_random, _random.Next(1500)), 1, 5);
            group.Entries.Add(entry.Bytes.ToArray());
            _journal.Append(new JournalRecord
            {
                Group = group.Log.Group,
                Entries = [entry],
                Commit = group.Durable,
                HardState = new HardState(new Term(1), null),
                Waiter = group,
            });
            _journal.Flush();
        }

        private void Delete(Group group)
        {
            _queue.RunAll();
            GroupId id = group.Log.Group;
            group.IsLeaving = true;
            _store.DeleteGroup(group.Log, _environment, () => Deleted++);
            _queue.RunAll();
            _groups.Remove(id);
            Assert.DoesNotContain(_disk.List("groups"), name => name.EndsWith(id.ToString(), StringComparison.Ordinal));
        }

        private void Crash()
        {
            Crashes++;
            bool power = _random.OneIn(2);
            for (int attempt = _random.Next(3); ; attempt--)
            {
                if (power)
                {
                    _disk.PowerCut(_random);
                }
                else
                {
                    _disk.ProcessCrash();
                }

                _disk.CancelCrash();
                if (attempt > 0)
                {
                    _disk.CrashAfter(_random.Next(1, 40));
                }

                try
                {
                    Start();
                    _disk.CancelCrash();
                    _armed = false;
                    return;
                }
                catch (SimulatedCrashException)
                {
                    Assert.True(attempt > 0);
                }
            }
        }

        private void Start()
        {
            _queue = new SteppedDiskQueue(_disk);
            _store = NodeStore.Scan(_disk, new NodeStoreLimits(_random.OneIn(2) ? 2000 : 1 << 20));
            _journal = JournalRecovery.Open(_disk, Options, new StoreId(9), _store, _queue, this);
            _environment = new GroupLogEnvironment(_queue, _journal, new TailPool(64 << 10));
            SortedDictionary<GroupId, RecoveredGroup> found = [];
            foreach (RecoveredGroup group in _store.Finish((_, _) => _environment))
            {
                found.Add(group.Group, group);
            }

            foreach ((GroupId id, Group group) in _groups.ToArray())
            {
                if (!found.Remove(id, out RecoveredGroup? recovered))
                {
                    Assert.True(group.IsLeaving, $"group {id} is gone");
                    _groups.Remove(id);
                    continue;
                }

                RecoveredGroup.Healthy healthy = recovered as RecoveredGroup.Healthy
                    ?? throw new InvalidOperationException(((RecoveredGroup.Damaged)recovered).Report);
                group.Restore(healthy);
            }

            // A group whose creation was not answered may be there or not.
            foreach (RecoveredGroup created in found.Values)
            {
                RecoveredGroup.Healthy healthy = Assert.IsType<RecoveredGroup.Healthy>(created);
                Assert.Equal(LogIndex.Zero, healthy.Log.LastIndex);
                ((IGroupCreationWaiter)this).GroupCreated(created.Group, healthy.Log, healthy.Raft);
            }
        }
    }

    private sealed class Group : IJournalWaiter
    {
        public required GroupLog Log { get; set; }

        public List<byte[]> Entries { get; } = [];

        public LogIndex Durable { get; private set; }

        public LogIndex Applied { get; private set; }

        public bool IsLeaving { get; set; }

        public void Apply(int count)
        {
            while (count-- > 0 && Applied < Durable)
            {
                ApplyOne(Log.Tail.BytesAt(Applied.Next));
            }

            Log.Advance(Durable, Durable, Applied);
        }

        public long OffsetBehind(LogIndex index) =>
            index == LogIndex.Zero ? 0 : EntryLayout.ReadUnchecked(Entries[(int)index.Value - 1]).NextOffset;

        public byte[] StateBytes()
        {
            byte[] state = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(state, Applied.Value);
            return state;
        }

        public void Restore(RecoveredGroup.Healthy healthy)
        {
            Assert.True(healthy.Log.LastIndex >= Durable, $"{healthy.Name} ends at {healthy.Log.LastIndex}, acknowledged {Durable}");
            Assert.True(healthy.Log.LastIndex.Value <= Entries.Count);
            Log = healthy.Log;
            Log.Tail.Roll = new RollPolicy(4000, 1_000_000);
            Entries.RemoveRange((int)Log.LastIndex.Value, Entries.Count - (int)Log.LastIndex.Value);
            Applied = LogIndex.Zero;
            if (healthy.Checkpoint is { } checkpoint)
            {
                Applied = checkpoint.Head.LastIndex;
                Assert.Equal(Applied.Value, BinaryPrimitives.ReadInt64LittleEndian(checkpoint.State.Span));
            }

            foreach (ReadOnlyMemory<byte> entry in healthy.Replay)
            {
                Assert.True(Entries[(int)Applied.Value].AsSpan().SequenceEqual(entry.Span));
                ApplyOne(entry);
            }

            for (LogIndex index = Log.Tail.FirstInMemory; index <= Log.LastIndex; index = index.Next)
            {
                Assert.True(Entries[(int)index.Value - 1].AsSpan().SequenceEqual(Log.Tail.BytesAt(index).Span));
            }

            Durable = Log.LastIndex;
            Log.Advance(Durable, Durable, Applied);
        }

        void IJournalWaiter.Written(JournalRecord record)
        {
            Durable = LogIndex.Max(Durable, record.Entries[0].Index);
            Log.Advance(Durable, Durable, Applied);
        }

        private void ApplyOne(ReadOnlyMemory<byte> entry)
        {
            EntryHeader header = EntryLayout.ReadUnchecked(entry.Span);
            if (Log.NeedsBaseBefore(header))
            {
                Log.WriteBase(Log.FreezeHead(Applied), 1, StateBytes(), null);
            }

            Applied = header.Index;
        }
    }
}
