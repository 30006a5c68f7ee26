using RaftMq.Storage.Files;

namespace RaftMq.Server.Disk;

/// <summary>Files of which a block can't be read: each is counted and told once, however often it is tried.</summary>
internal sealed class UnreadableFiles(DiskMetrics metrics, Action<UnreadableBlock> tell)
{
    /// <summary>Of more files than these nobody is told: the disk is lost.</summary>
    private const int FilesMax = 1000;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

    /// <summary>On the thread that reads.</summary>
    public void Met(UnreadableBlock block)
    {
        lock (_lock)
        {
            if (_paths.Count >= FilesMax || !_paths.Add(block.Path))
            {
                return;
            }
        }

        metrics.UnreadableFiles.Increment();
        tell(block);
    }
}
