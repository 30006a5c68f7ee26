using RaftMq.Storage.Files;
using RaftMq.Storage.Segments;

namespace RaftMq.Storage.Checkpoints;

/// <summary>Takes pieces of a base checkpoint that is being sent.</summary>
public interface ISnapshotChunkWaiter
{
    /// <param name="totalBytes">The whole file's length; -1: it is damaged here. The bytes are not checked here: the receiver checks the whole-file hash.</param>
    void SnapshotChunkRead(long position, ReadOnlyMemory<byte> bytes, long totalBytes);
}

internal sealed class SnapshotChunkRead : DiskWork
{
    private readonly string _path;
    private readonly BaseCheckpoint _checkpoint;
    private readonly long _position;
    private readonly int _maxBytes;
    private readonly ISnapshotChunkWaiter _waiter;
    private readonly GroupFiles _owner;
    private ReadOnlyMemory<byte> _bytes;
    private long _totalBytes;
    private bool _isDamaged;

    public SnapshotChunkRead(string path, BaseCheckpoint checkpoint, long position, int maxBytes, ISnapshotChunkWaiter waiter, GroupFiles owner)
    {
        _owner = owner;
        _path = path;
        _checkpoint = checkpoint;
        _position = position;
        _maxBytes = maxBytes;
        _waiter = waiter;
        checkpoint.Readers++;
    }

    public override void Execute(IDisk disk)
    {
        // The receiver checks it all again; but it can't know whether what does not fit is damaged here or was lost on the way.
        if (_position == 0 && (!disk.FileExists(_path) || CheckpointFile.TryRead(disk, _owner.Folder, CheckpointKind.Base, _checkpoint.Index, _owner.Group) is null))
        {
            _isDamaged = true;
            return;
        }

        using IDiskFile file = disk.Open(_path, DiskFileMode.Existing);
        _totalBytes = file.Length;
        byte[] buffer = new byte[Math.Clamp(_totalBytes - _position, 0, _maxBytes)];
        _bytes = buffer.AsMemory(0, file.Read(_position, buffer));
    }

    public override void Complete()
    {
        _checkpoint.Readers--;
        _owner.ReaderGone();
        if (_isDamaged)
        {
            _owner.BaseIsDamaged(_checkpoint);
        }

        _waiter.SnapshotChunkRead(_position, _bytes, _isDamaged ? -1 : _totalBytes);
    }
}
