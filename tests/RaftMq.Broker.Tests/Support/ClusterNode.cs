using RaftMq.Broker.Cluster;
using RaftMq.Broker.Environment;
using RaftMq.Broker.Groups;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;

namespace RaftMq.Broker.Tests.Support;

/// <summary>A node of <see cref="Cluster"/>: its disk outlives the process on it.</summary>
internal sealed class ClusterNode : INodeEnvironment, IClock, IPeerTransport
{
    private readonly Cluster _cluster;
    private readonly List<Section> _sections = [];
    private readonly Queue<(Section Section, DiskLane Lane, DiskWork Work)> _disk = new();
    private BrokerNode? _broker;

    public ClusterNode(Cluster cluster, NodeId id)
    {
        _cluster = cluster;
        Id = id;
        Random = new RandomSource(((ulong)id.Value * 7919) + cluster.Seed);
        Settings = new NodeSettings { Self = id, InitialNodes = cluster.Initial };
    }

    public NodeId Id { get; }

    public NodeSettings Settings { get; set; }

    public MemoryDisk Medium { get; set; } = new();

    public JournalOptions Journal { get; set; } = new() { FileBytes = 1 << 18, TotalBytesMax = 1 << 24 };

    public bool IsUp => _broker is not null;

    public BrokerNode Broker => _broker!;

    public NodeParts Parts => _broker!.Parts;

    /// <summary>The disk hangs: nothing is written and nothing completes.</summary>
    public bool DiskHangs { get; set; }

    /// <summary>Of this lane nothing is written and nothing completes; null: all go on.</summary>
    public DiskLane? HangingLane { get; set; }

    /// <summary>What is said to be queued towards every other node.</summary>
    public long Queued { get; set; }

    public List<NodeEvent> Events { get; } = [];

    public RandomSource Random { get; }

    IClock INodeEnvironment.Clock => this;

    IPeerTransport INodeEnvironment.Peers => this;

    IDisk INodeEnvironment.Disk => Medium;

    public long MonotonicMs => _cluster.NowMs;

    public long UnixMs => 1_700_000_000_000 + _cluster.NowMs;

    public void Start()
    {
        _broker = new BrokerNode(
            _cluster.Options, Settings, Journal, new NoSubscriptions(), this);
        _broker.Start();
    }

    /// <summary>The process dies; what it had given to the disk is lost with it.</summary>
    public void Kill()
    {
        _broker = null;
        _sections.Clear();
        _disk.Clear();
    }

    public void Restart()
    {
        Kill();
        Start();
    }

    public void Tick() => _broker?.Tick();

    public bool Run()
    {
        bool ran = false;
        for (int i = 0; i < _sections.Count; i++)
        {
            ran |= _sections[i].Run();
        }

        for (int count = DiskHangs ? 0 : _disk.Count; count > 0; count--)
        {
            (Section Section, DiskLane Lane, DiskWork Work) next = _disk.Dequeue();
            if (next.Lane == HangingLane)
            {
                _disk.Enqueue(next);
                continue;
            }

            ran = true;
            next.Work.Execute(Medium);
            next.Section.Post(new Completion(next.Work));
        }

        return ran;
    }

    public ISection CreateSection(string name, ISectionOwner owner)
    {
        var section = new Section(owner);
        _sections.Add(section);
        return section;
    }

    public IDiskQueue CreateDiskQueue(ISection section) => new DiskQueue(this, (Section)section);

    public void Fatal(string report, Exception cause) => throw new InvariantViolationException(report);

    public void Report(NodeEvent nodeEvent) => Events.Add(nodeEvent);

    PeerFrame IPeerTransport.Rent(int bytes) => new(new byte[bytes]);

    void IPeerTransport.Send(NodeId to, PeerLane lane, PeerFrame frame) => _cluster.Carry(Id, to, lane, frame);

    void IPeerTransport.Return(PeerFrame frame) => frame.Buffer.AsSpan().Fill(0xDD);

    void IPeerTransport.Learn(NodeId node, string host, int port)
    {
    }

    long IPeerTransport.QueuedBytes(NodeId to) => Queued;

    private sealed class NoSubscriptions : ISubscriptionReader
    {
        public bool TryReadTopics(string protocolType, ReadOnlySpan<byte> metadata, ISet<string> topics) => false;
    }

    private sealed class Section(ISectionOwner owner) : ISection
    {
        private readonly Queue<SectionWork> _waiting = new();

        public bool IsInside { get; private set; }

        public void Post(SectionWork work) => _waiting.Enqueue(work);

        public void RunFirst(Action start)
        {
            IsInside = true;
            start();
            IsInside = false;
        }

        public bool Run()
        {
            if (_waiting.Count == 0)
            {
                return false;
            }

            IsInside = true;
            while (_waiting.TryDequeue(out SectionWork? work))
            {
                work.Run();
            }

            owner.EndTurn();
            IsInside = false;
            return true;
        }
    }

    private sealed class DiskQueue(ClusterNode node, Section section) : IDiskQueue
    {
        public void Submit(DiskLane lane, DiskWork work)
        {
            // Its completion may come, in the section, before the submitter goes on.
            Assert.True(section.IsInside, $"{work.GetType().Name} was submitted from outside of its section");
            node._disk.Enqueue((section, lane, work));
        }
    }

    private sealed class Completion(DiskWork work) : SectionWork
    {
        public override void Run() => work.Complete();
    }
}
