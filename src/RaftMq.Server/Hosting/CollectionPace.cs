namespace RaftMq.Server.Hosting;

/// <summary>
/// Keeps the runtime from letting garbage pile up. Records live in large arrays that go to the collector once they are in segments; left to
/// itself it waits for about as much garbage as there is live memory, several times the named limits together at full load. Here it
/// collects in the background after each <see cref="BytesBetween"/> that were allocated: some milliseconds of processor time each.
/// </summary>
internal sealed class CollectionPace : IDisposable
{
    public const long BytesBetween = 128L << 20;

    private const int LookEveryMs = 50;

    private readonly Timer _timer;
    private long _allocatedAtLast;
    private int _collectionsAtLast;

    public CollectionPace() => _timer = new Timer(_ => Look(), state: null, LookEveryMs, LookEveryMs);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        int collections = GC.CollectionCount(GC.MaxGeneration);
        long allocated = GC.GetTotalAllocatedBytes(precise: false);
        if (collections != _collectionsAtLast)
        {
            _collectionsAtLast = collections;
            _allocatedAtLast = allocated;
        }
        else if (allocated - _allocatedAtLast >= BytesBetween)
        {
            _allocatedAtLast = allocated;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
    }
}
