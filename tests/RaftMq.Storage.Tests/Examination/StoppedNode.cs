using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;
using RaftMq.Storage.Tests.Log;

namespace RaftMq.Storage.Tests.Examination;

/// <summary>
/// A whole data folder made by the store itself: identity, journal, and groups with short segments, indexes and checkpoints of both kinds. Tests spoil
/// copies of its disk.
/// </summary>
internal sealed class StoppedNode : IJournalOwner, IGroupCreationWaiter
{
    public const string Group = "t-1";

    private static readonly JournalOptions Options = new() { FileBytes = 32 << 10, TotalBytesMax = 256 << 10, BatchBytesMax = 16 << 10 };
    private static readonly RollPolicy Roll = new(4000, 1_000_000);

    private readonly RandomSource _random;
    private readonly SortedDictionary<GroupId, Written> _groups = [];
    private readonly SteppedDiskQueue _queue;
    private readonly NodeStore _store;
    private readonly NodeJournal _journal;
    private readonly GroupLogEnvironment _environment;

    public StoppedNode(RandomSource random, int groups = 2, Membership? membership = null)
    {
        _random = random;
        Disk = new SimulatedDisk(random.Split());
        StoreIdentity.Open(Disk, new NodeId(1), StoreExpectation.MayBeEmpty, new StoreId(9));
        _queue = new SteppedDiskQueue(Disk);
        _store = NodeStore.Scan(Disk, new NodeStoreLimits());
        _journal = JournalRecovery.Open(Disk, Options, new StoreId(9), _store, _queue, this);
        _environment = new GroupLogEnvironment(_queue, _journal, new TailPool(64 << 10));
        _store.Finish((_, _) => _environment);
        for (int i = 1; i <= groups; i++)
        {
            _store.CreateGroup(new GroupId((UInt128)i), $"t-{i}", membership ?? LogHarness.First, _environment, this);
            _queue.RunAll();
        }
    }

    public SimulatedDisk Disk { get; }

    /// <summary>With several segments, some of them durable, some entries in the journal only; everything that was begun is done.</summary>
    public static StoppedNode Usual(Membership? membership = null)
    {
        StoppedNode node = new(new RandomSource(5), groups: 2, membership);
        node.Live(steps: 160);
        node.Settle();
        node.Disk.PowerCut(_ => false);
        return node;
    }

    public void Live(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            Step();
        }
    }

    /// <summary>All that is under way ends; a batch without records stands behind the last one.</summary>
    public void Settle()
    {
        for (int tick = 0; tick < 20; tick++)
        {
            _queue.RunAll();
            _journal.Tick(tick * 10);
        }
    }

    /// <summary>A file of the first group's folder.</summary>
    public string FileOf(Func<string, bool> wanted, bool last = false)
    {
        string folder = $"groups/{Disk.List("groups").First(name => name.StartsWith($"{Group}-", StringComparison.Ordinal))}";
        IEnumerable<string> found = Disk.List(folder).Where(wanted);
        return $"{folder}/{(last ? found.Last() : found.First())}";
    }

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo) => ((IJournalOwner)_store).ReleaseWanted(group, upTo);

    void IGroupCreationWaiter.GroupCreated(GroupId group, GroupLog log, RaftStart raft)
    {
        log.Tail.Roll = Roll;
        _groups.Add(group, new Written(log));
    }

    private void Step()
    {
        Written group = _groups.Values.ElementAt(_random.Next(_groups.Count));
        switch (_random.Next(12))
        {
            case < 6 when !_journal.IsFull:
                Entry entry = group.Log.Tail.EncodeBatch(new Term(1), TestBatch.Make(_random, _random.Next(1500)), 1, 5);
                _journal.Append(new JournalRecord
                {
                    Group = group.Log.Group,
                    Entries = [entry],
                    Commit = group.Durable,
                    HardState = new HardState(new Term(1), null),
                    Waiter = group,
                });
                _journal.Flush();
                break;
            case 6:
                group.Apply();
                break;
            case 7 when group.Applied > group.Log.BaseIndex:
                group.Log.WriteNewest(group.Log.FreezeHead(group.Applied), 1, group.State(), null);
                break;
            case 8 when group.Applied > group.Log.BaseIndex && _random.OneIn(5):
                group.Log.CutTo(group.Log.LogStartOffset + ((group.Applied.Value - group.Log.LogStartOffset) / 3));
                break;
            case 9:
                _queue.Step(DiskLane.Background);
                break;
            default:
                _queue.RunAll();
                break;
        }
    }

    private sealed class Written(GroupLog log) : IJournalWaiter
    {
        public GroupLog Log => log;

        public LogIndex Durable { get; private set; }

        public LogIndex Applied { get; private set; }

        public void Apply()
        {
            while (Applied < Durable)
            {
                EntryHeader next = EntryLayout.ReadUnchecked(log.Tail.BytesAt(Applied.Next).Span);
                if (log.NeedsBaseBefore(next))
                {
                    log.WriteBase(log.FreezeHead(Applied), 1, State(), null);
                }

                Applied = next.Index;
            }

            log.Advance(Durable, Durable, Applied);
        }

        public byte[] State()
        {
            byte[] state = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(state, Applied.Value);
            return state;
        }

        void IJournalWaiter.Written(JournalRecord record)
        {
            Durable = LogIndex.Max(Durable, record.Entries[0].Index);
            log.Advance(Durable, Durable, Applied);
        }
    }
}
