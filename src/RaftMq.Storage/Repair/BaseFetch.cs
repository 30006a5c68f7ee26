using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Repair;

/// <summary>
/// Brings a base checkpoint from another replica, in pieces kept in memory until the whole one's hash is checked, and puts it in its place. Heads
/// differ between replicas, by what each log still held, so it is written with this one's own.
/// </summary>
/// <param name="asInstall">The log does not begin there yet: under the name of a base it would be taken for a state of the log as it is.</param>
/// <param name="own">The head that belongs to it here; null: it does not fit.</param>
internal sealed class BaseFetch(
    GroupId group, string folder, LogIndex index, bool asInstall, Func<CheckpointHead, CheckpointHead?> own, IDiskQueue disk,
    Action<BaseFetch> changed)
{
    private readonly List<byte> _bytes = [];
    private bool _ended;

    public LogIndex Index => index;

    public RepairWish? Wish { get; private set; } = new RepairWish.Base(index, 0);

    /// <summary>In place and durable; null before.</summary>
    public CheckpointHead? Head { get; private set; }

    public string? Failure { get; private set; }

    public long BytesTaken => _bytes.Count;

    public void Abandon() => _ended = true;

    public bool Take(long position, ReadOnlyMemory<byte> bytes, long totalBytes)
    {
        if (_ended || Wish is null)
        {
            return true;
        }

        if (position != _bytes.Count || bytes.IsEmpty || totalBytes > CheckpointCodec.CheckpointBytesMax
            || position + bytes.Length > totalBytes)
        {
            Begin();
            return false;
        }

        _bytes.AddRange(bytes.Span);
        if (_bytes.Count < totalBytes)
        {
            Wish = new RepairWish.Base(index, _bytes.Count);
            return true;
        }

        if (CheckpointCodec.TryDecode(_bytes.ToArray(), group) is not { } checkpoint
            || checkpoint.Head.LastIndex != index
            || own(checkpoint.Head) is not { } head)
        {
            Begin();
            return false;
        }

        Wish = null;
        disk.Submit(DiskLane.Background, new Writing(this, checkpoint with { Head = head }));
        return true;
    }

    /// <summary>Another one is asked, from the beginning: what two replicas sent is no whole.</summary>
    public void Begin()
    {
        _bytes.Clear();
        Wish = new RepairWish.Base(index, 0);
    }

    private void Ended(CheckpointHead? head, string? failure)
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        (Head, Failure) = (head, failure);
        changed(this);
    }

    private sealed class Writing(BaseFetch fetch, Checkpoint checkpoint) : DiskWork
    {
        public override void Execute(IDisk disk)
        {
            if (!fetch._ended)
            {
                CheckpointFile.Write(disk, fetch.FolderPath, fetch.Path, checkpoint);
            }
        }

        public override void Complete() => fetch.Ended(checkpoint.Head, null);

        public override void Full(DiskFullException fault) => fetch.Ended(null, "the disk has no room for it");
    }

    private string FolderPath => folder;

    private string Path =>
        asInstall ? CheckpointFile.InstallPath(folder, index) : CheckpointFile.Path(folder, CheckpointKind.Base, index);
}
