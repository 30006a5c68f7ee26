using RaftMq.Broker.Environment;
using RaftMq.Storage.Files;
using RaftMq.Storage.Space;

namespace RaftMq.Broker.Space;

/// <summary>
/// Watches how much room the node's disk has, keeps the reserve, and tells the operator (D-14). It looks every <see cref="LookEveryMs"/> and, where
/// much is written, more often: what the node writes between two looks is bounded, and near the mark nothing is taken until the next look is done.
/// What is missing of the reserve counts as used, so that making it again changes no level.
/// </summary>
/// <param name="changed">The node may take records again, or may not any more.</param>
internal sealed class SpaceWatch(SpaceLimits limits, IDiskQueue disk, IClock clock, Action<NodeEvent> report, Action changed)
{
    public const int LookEveryMs = 500;

    /// <summary>A look is asked for when this part of what may be written since the last one is.</summary>
    private const int LookAfterPart = 4;

    /// <summary>
    /// Housekeeping's looks in a row, about a second apart, without a writer in want of room: they try again all the time, and some small ones get
    /// through.
    /// </summary>
    private const int LooksUntilOver = 5;

    private readonly RoomGauge _gauge = new(limits);
    private readonly ReserveFile _reserve = new(disk, limits.ReserveBytes);
    private bool _isLooking;
    private long _nextLookMs;
    private long _writtenBytes;
    private long _writtenAtLook;
    private RoomLevel _told;
    private int _looksWithRoom;

    /// <summary>As the last look found it; null before the first.</summary>
    public long? FreeBytes { get; private set; }

    public RoomLevel Level => _gauge.Level;

    /// <summary>What the reserve file holds.</summary>
    public long ReserveBytes => _reserve.HeldBytes;

    /// <summary>Records are refused.</summary>
    public bool IsShort => _gauge.Level == RoomLevel.Short && !PlantedBug.RefusalForgotten;

    /// <summary>A writer found no room a short while ago.</summary>
    public bool IsFull { get; private set; }

    /// <summary>More was written since the last look than may be: until the next one nothing is taken.</summary>
    public bool IsBlind => limits.FreeBytesMin > 0 && _writtenBytes - _writtenAtLook > AllowedBytes;

    private long AllowedBytes => Math.Max(limits.GrowthBytesKept, ((FreeBytes ?? 0) - limits.FreeBytesMin) / LookAfterPart);

    /// <summary>The first look, while the node starts.</summary>
    public void Start(IDisk from)
    {
        _reserve.Found(ReserveFile.LengthOf(from));
        Looked(from.FreeBytes(""), _writtenBytes);
    }

    /// <summary>Entries went to the journal.</summary>
    public void Written(long entryBytes) => _writtenBytes += entryBytes;

    /// <summary>About every 10 ms.</summary>
    public void Tick()
    {
        long now = clock.MonotonicMs;
        if (!_isLooking && (now >= _nextLookMs || _writtenBytes - _writtenAtLook > AllowedBytes / LookAfterPart))
        {
            _isLooking = true;
            _nextLookMs = now + LookEveryMs;
            disk.Submit(DiskLane.Read, new Look(this, _writtenBytes));
        }

        if (FreeBytes is { } free && !IsFull && Level != RoomLevel.Short && free - _reserve.MissingBytes >= RoomToGrow)
        {
            _reserve.Grow();
        }
    }

    /// <summary>About once a second.</summary>
    /// <param name="writers">How many found no room when they last tried.</param>
    public void WithoutRoom(int writers)
    {
        if (writers > 0)
        {
            _looksWithRoom = 0;
            IsFull = true;
            _reserve.Release();
        }
        else if (IsFull && ++_looksWithRoom >= LooksUntilOver)
        {
            IsFull = false;
        }

        _reserve.Shrink();
        Tell(writers);
    }

    /// <summary>A sentence without its full stop; null while the disk has enough.</summary>
    public string? Describe() =>
        IsFull ? "the disk is full: partitions that this node leads take no records until there is room; reads go on"
        : Level == RoomLevel.Short ? $"the disk is nearly full: {MiB(FreeBytes ?? 0)} are free and disk.free.bytes.min is {MiB(limits.FreeBytesMin)}, so this node takes no records; reads go on"
        : Level == RoomLevel.Low ? $"the disk fills up: {MiB(FreeBytes ?? 0)} are free, below disk.free.bytes.low, which is {MiB(limits.FreeBytesLow)}"
        : null;

    /// <summary>The reserve is made again only with room to spare: what was given back must not be taken at once.</summary>
    private long RoomToGrow => Math.Max(limits.FreeBytesMin, limits.ReserveBytes / 2);

    private void Looked(long freeBytes, long writtenBefore)
    {
        (bool wasShort, bool wasBlind) = (IsShort, IsBlind);
        _writtenAtLook = writtenBefore;
        FreeBytes = freeBytes;
        _gauge.Look(Math.Max(0, freeBytes - _reserve.MissingBytes));
        if (wasShort != IsShort || (wasBlind && !IsBlind))
        {
            changed();
        }
    }

    private void Tell(int writers)
    {
        RoomLevel now = IsFull ? RoomLevel.Short : Level;
        RoomLevel before = _told;
        _told = now;
        if (now > before)
        {
            report(now == RoomLevel.Short
                ? new NodeEvent(NodeEventKind.DiskFull, Sentence(), [("replicas", writers), ("freeBytes", FreeBytes ?? 0)])
                : new NodeEvent(NodeEventKind.DiskLow, Sentence(), [("freeBytes", FreeBytes ?? 0), ("lowBytes", limits.FreeBytesLow)]));
        }
        else if (now < before)
        {
            report(new NodeEvent(
                NodeEventKind.DiskHasRoom,
                now == RoomLevel.Enough ? "The disk has room again." : "The disk has room again, though less than disk.free.bytes.low.",
                [("freeBytes", FreeBytes ?? 0)]));
        }
    }

    private string Sentence() => char.ToUpperInvariant(Describe()![0]) + Describe()![1..] + ".";

    private static string MiB(long bytes) => $"{bytes >> 20} MiB";

    private sealed class Look(SpaceWatch watch, long writtenBytes) : DiskWork
    {
        private long _freeBytes;

        public override void Execute(IDisk disk) => _freeBytes = disk.FreeBytes("");

        public override void Complete()
        {
            watch._isLooking = false;
            watch.Looked(_freeBytes, writtenBytes);
        }
    }
}
